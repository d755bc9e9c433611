import { setTimeout as sleep } from "node:timers/promises"
import { isQuota, refOf, type Cluster } from "../../../clients/kubernetes/index.js"
import { neverRan, type NotReady } from "../../readiness.js"
import { releaseKey } from "../../release.js"
import type { Instance, RollOrder } from "../../target.js"
import { isGoing, isOver, type Event, type Pod } from "../kinds.js"
import { lasting } from "../lasting.js"
import { notMadeFault } from "../not-made.js"
import { objectName, type KubernetesObject } from "../object.js"
import { revisionOf } from "../revision.js"
import { keyOfPod } from "../tracks.js"
import type { Scene } from "../scene.js"
import { unfitness } from "../unfit.js"
import { absenceOf, progressOf, type Progress } from "./complete.js"
import { deadlineFault, jobFault, notFitFault } from "./faults.js"
import { holderRemover } from "./held.js"
import { carriersOf, isJob, isLasting, type OwnPlace } from "./marks.js"
import { asInstances, instancesThere } from "./pods.js"
import { podSelector } from "./selector.js"

const pollMs = 400
/** The clocks of this machine and of the cluster may differ by so much. Seconds. */
const skewSeconds = 5

export interface Waiting {
  readonly place: OwnPlace & Pick<Scene, "departures">
  readonly order: RollOrder
  /** As they were applied. */
  readonly objects: readonly KubernetesObject[]
  readonly environment: string
  logs(instance: Instance): Promise<string>
}

/**
 * Waits until every workload of a release is complete; pods that were left and hold a StatefulSet up make room. Ends at once
 * with what will never get over itself: an image that cannot be pulled, a container that dies again and again, no room, no
 * quota, a Job that failed.
 * @throws DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, DEPLOY-CANNOT-RUN, DEPLOY-STUCK, K8S-QUOTA, K8S-NO-PODS, OWN-JOB
 */
export async function untilComplete(waiting: Waiting): Promise<void> {
  const { place, order, objects } = waiting
  const { signal, strategy, tell } = order
  const workloads = objects.filter((object) => isLasting(object) || isJob(object))
  const carriers = new Set(carriersOf(objects, order.release).map(objectName))
  const began = Date.now()
  const room = { ...place, tell }
  let watches: ReadonlyMap<string, Watch> = new Map()
  const told = new Map<string, string>()
  let moved = performance.now()
  for (;;) {
    signal.throwIfAborted()
    const now = await Promise.all(
      workloads.map(async (wanted) => {
        const there = await place.cluster.read<KubernetesObject>(refOf(wanted))
        const object = there ?? wanted
        return { object, progress: absenceOf(wanted, there) ?? progressOf(object) }
      }),
    )
    const pending = now.filter(({ progress }) => !progress.done)
    for (const { object, progress } of pending) {
      const name = objectName(object)
      if (told.get(name) === progress.text) continue
      told.set(name, progress.text)
      tell(`${name}: ${progress.text}`)
      moved = performance.now()
    }
    if (pending.length === 0) return
    // What was complete in between is watched anew.
    const watchOf = (name: string): Watch =>
      watches.get(name) ?? { believed: lasting(), makesRoom: holderRemover(room) }
    watches = new Map(pending.map(({ object }) => [objectName(object), watchOf(objectName(object))]))
    for (const { object, progress } of pending) {
      const name = objectName(object)
      await judge(waiting, object, progress, { began, carries: carriers.has(name), ...watchOf(name) })
    }
    const seconds = (performance.now() - moved) / 1000
    if (seconds > strategy.progressDeadlineSeconds && !pending.every(({ object }) => hasDeadline(object))) {
      throw await stuck(waiting, pending[0]?.object, pending[0]?.progress, seconds)
    }
    await sleep(pollMs, undefined, { signal })
  }
}

/** A Job that ends by itself when its time is over is waited for. */
const hasDeadline = (object: KubernetesObject) =>
  isJob(object) && (object["spec"] as { readonly activeDeadlineSeconds?: number }).activeDeadlineSeconds !== undefined

/** What lasts of a workload, from look to look. */
interface Watch {
  readonly believed: ReturnType<typeof lasting>
  readonly makesRoom: ReturnType<typeof holderRemover>
}

interface Judgement extends Watch {
  /** Milliseconds since 1970. */
  readonly began: number
  readonly carries: boolean
}

async function judge(
  waiting: Waiting,
  object: KubernetesObject,
  progress: Progress,
  { began, carries, believed, makesRoom }: Judgement,
): Promise<void> {
  const { place, order } = waiting
  const pods = await podsOf(place, object)
  const key = releaseKey(order.release)
  const fresh = pods
    .filter((pod) => !isGoing(pod) && !(isLasting(object) && isOver(pod)))
    .filter((pod) => {
      if (carries && isLasting(object)) return keyOfPod(pod) === key
      // Of a template before, these may be in trouble for what the new one mends.
      if (revisionOf(pod, [object]) !== "wanted") return false
      return Date.parse(pod.metadata.creationTimestamp ?? "") >= began - skewSeconds * 1000
    })
  place.departures.note(pods)
  const instances = await instancesThere(place, fresh)
  for (const instance of instances) {
    const startupSeconds = carries ? order.release.startupSeconds : undefined
    const failure = unfitness(instance, fresh, { startupSeconds, job: isJob(object) }, Date.now())
    if (failure !== undefined) throw await notFit(waiting, failure)
  }
  await makesRoom(object, pods)
  if (progress.failed !== undefined && isJob(object)) {
    const [bad] = instances.filter((i) => i.state === "dead")
    throw jobFault(waiting.environment, place.service, object, progress.failed, bad && (await waiting.logs(bad)))
  }
  // The flag of a Deployment may be of an earlier time (rollout-status.ts).
  if (progress.failed !== undefined && (Date.now() - began) / 1000 > deadlineOf(object)) {
    throw await stuck(waiting, object, progress, order.strategy.progressDeadlineSeconds)
  }
  const notMade = progress.notMade ?? (fresh.length === 0 ? await notMadeOf(place, object, began) : undefined)
  const meant = believed(instances.some((i) => i.healthy) ? undefined : notMade)
  if (meant === undefined || (isQuota(meant) && (await place.departures.makeRoom()))) return
  throw notMadeFault(place.namespace, object, meant)
}

/** 600 s where a Deployment says nothing else. https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#progress-deadline-seconds */
const deadlineOf = (object: KubernetesObject) =>
  (object["spec"] as { readonly progressDeadlineSeconds?: number }).progressDeadlineSeconds ?? 600

async function notFit(waiting: Waiting, failure: NotReady) {
  const { order, place, environment } = waiting
  const logs = await waiting.logs(failure.instance)
  await order.keepLog(`${failure.instance.name}.log`, logs)
  order.tell(`${failure.instance.name} is not fit to serve: ${failure.instance.trouble?.text ?? failure.why}`)
  return notFitFault({ environment, service: place.service }, order.release, failure, logs)
}

async function stuck(
  waiting: Waiting,
  object: KubernetesObject | undefined,
  progress: Progress | undefined,
  seconds: number,
) {
  const { place, environment } = waiting
  const pods = object === undefined ? [] : asInstances(await podsOf(place, object))
  const unready = pods.filter((i) => !i.healthy)
  const [bad] = unready
  if (bad !== undefined && unready.every((i) => i.preparing === true)) return notFit(waiting, neverRan(bad, seconds))
  const logs = bad === undefined ? "" : await waiting.logs(bad)
  return deadlineFault({ environment, service: place.service }, object, progress, seconds, bad, logs)
}

/** Those on their way out as well. */
async function podsOf({ cluster, namespace }: OwnPlace, object: KubernetesObject): Promise<readonly Pod[]> {
  const labels = podSelector(object)
  if (labels === undefined) return []
  return cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace, labels })
}

/**
 * StatefulSets, DaemonSets and Jobs say by events alone why they make no pods.
 * @param began since when events count, in milliseconds since 1970
 */
export async function notMadeOf(
  { cluster, namespace }: Pick<OwnPlace, "namespace"> & { readonly cluster: Pick<Cluster, "list"> },
  { kind, metadata }: KubernetesObject,
  began: number,
): Promise<string | undefined> {
  const events = await cluster.list<Event>({
    apiVersion: "v1",
    kind: "Event",
    namespace,
    fields: `involvedObject.uid=${metadata.uid ?? ""},involvedObject.kind=${kind},reason=FailedCreate`,
  })
  const at = (event: Event) => Date.parse(event.lastTimestamp ?? event.eventTime ?? "")
  return events.find((event) => at(event) >= began - skewSeconds * 1000)?.message
}
