import type { Instance } from "../target.js"
import { readRelease, unknownRelease } from "../release.js"
import type { RunningInstance } from "../views/view.js"
import { annotations } from "./labels.js"
import { isGoing, conditionOf, isTrue, type Pod } from "./kinds.js"
import { begunAt, isOutOfMemory, lastEnd, mainContainer, troubleOf } from "./trouble.js"
import { keyOfPod, trackOfPod } from "./tracks.js"
import type { Scene } from "./scene.js"
import type { TrafficState } from "./traffic.js"

/** Pods as instances; those on their way out have left. Pure. @param now milliseconds since 1970 */
export function instancesOf(pods: readonly Pod[], traffic: TrafficState, now: number): readonly Instance[] {
  return pods.filter((pod) => !isGoing(pod)).map((pod, i) => instanceOf(pod, i + 1, traffic, now))
}

/** Instances as they are now. One that has no room is in no trouble as long as others make room. */
export async function instancesNow(
  { departures }: Pick<Scene, "departures">,
  pods: readonly Pod[],
  traffic: TrafficState,
): Promise<readonly Instance[]> {
  departures.note(pods)
  const instances = instancesOf(pods, traffic, Date.now())
  const waits = ({ trouble }: Instance) => trouble?.kind === "unschedulable"
  if (!instances.some(waits) || !(await departures.makeRoom())) return instances
  return instances.map((i) => (waits(i) ? withoutTrouble(i) : i))
}

function withoutTrouble({ trouble: _, ...instance }: Instance): Instance {
  return instance
}

function instanceOf(pod: Pod, slot: number, traffic: TrafficState, now: number): Instance {
  const { status, metadata } = pod
  const over = status?.phase === "Failed" || status?.phase === "Succeeded"
  const trouble = troubleOf(pod, now)
  const dead = over || trouble?.kind === "crash"
  const end = lastEnd(pod)
  const healthy = !over && isTrue(status?.conditions, "Ready")
  return {
    id: metadata.uid ?? metadata.name,
    name: metadata.name,
    slot,
    key: keyOfPod(pod),
    release: readRelease(metadata.annotations?.[annotations.release]) ?? unknownRelease(keyOfPod(pod)),
    state: dead ? "dead" : "running",
    // A pod that is not ready is behind no Service, whatever its track has.
    weight: healthy ? traffic.weights[trackOfPod(pod)] : 0,
    healthy,
    check: checkOf(pod),
    exit: dead ? { code: end?.exitCode ?? -1, outOfMemory: isOutOfMemory(end) } : undefined,
    restarts: mainContainer(pod)?.restartCount ?? 0,
    ...(over || begunAt(pod) !== undefined ? {} : { preparing: true }),
    ...(trouble !== undefined && trouble.kind !== "crash" ? { trouble } : {}),
  }
}

/** Why it is not ready, in the cluster's words. */
function checkOf(pod: Pod): string | undefined {
  const { status } = pod
  if (isTrue(status?.conditions, "Ready")) return undefined
  const waiting = mainContainer(pod)?.state?.waiting
  if (waiting?.reason !== undefined)
    return waiting.message === undefined ? waiting.reason : `${waiting.reason}: ${waiting.message}`
  const ready = conditionOf(status?.conditions, "Ready") ?? conditionOf(status?.conditions, "PodScheduled")
  return status?.message ?? ready?.message ?? status?.phase
}

/** An instance for those who only look. Pure. */
export const runningInstance = (i: Instance): RunningInstance => ({
  name: i.name,
  key: i.key,
  digest: i.release.digest === "" ? undefined : i.release.digest,
  alive: i.state === "running",
  ready: i.healthy,
  traffic: i.weight > 0,
  restarts: i.restarts,
  ...(i.healthy ? {} : { why: i.trouble?.text ?? i.check }),
})
