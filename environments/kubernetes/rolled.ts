import { setTimeout as sleep } from "node:timers/promises"
import { isQuota } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import { notReadyFault, stuckFault } from "../faults.js"
import { neverRan, type NotReady } from "../readiness.js"
import { releaseKey } from "../release.js"
import type { Instance, RollOrder, Target } from "../target.js"
import { instancesNow } from "./instances.js"
import { isGoing, type Deployment } from "./kinds.js"
import { lasting } from "./lasting.js"
import { isRolled, isStuck } from "./rollout-status.js"
import { deploymentOf, notMadeFault } from "./not-made.js"
import type { Scene } from "./scene.js"
import { deploymentName, keyOfPod, readPods, readTracks, trackOfPod } from "./tracks.js"
import { failureOf } from "./trouble.js"
import { unfitness } from "./unfit.js"
import type { Track } from "./values.js"

const pollMs = 400
const logLines = 2000
/** In which nothing at all happens to a Deployment, in units of its own deadline, until nobody is thought to look after it. */
const silentDeadlines = 2

/**
 * Follows the Deployment's own rollout to its end, or to what it will never get over.
 * @throws DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, DEPLOY-CANNOT-RUN, DEPLOY-STUCK, K8S-QUOTA, K8S-DENIED, K8S-NO-PODS,
 *   K8S-SILENT
 */
export async function untilRolled(scene: Scene, target: Target, order: RollOrder, track: Track): Promise<void> {
  const { release, strategy, signal, tell } = order
  const key = releaseKey(release)
  const name = deploymentName(scene.service, track)
  const deadline = strategy.progressDeadlineSeconds
  const known = new Set((await target.describe()).filter((i) => i.healthy).map((i) => i.name))
  const believed = lasting()
  const started = performance.now()
  const since = (at: number) => (performance.now() - at) / 1000
  let [last, moved] = ["", started]
  for (;;) {
    signal.throwIfAborted()
    const [{ deployments, traffic }, pods] = await Promise.all([readTracks(scene), readPods(scene)])
    const deployment = deployments[track]
    const instances = (await instancesNow(scene, pods, traffic)).filter((i) => i.key === key)
    for (const instance of instances) {
      if (!instance.healthy || known.has(instance.name)) continue
      known.add(instance.name)
      tell(`${instance.name} ready after ${since(started).toFixed(1)} s`)
    }
    const old = pods.filter((p) => trackOfPod(p) === track && keyOfPod(p) !== key && !isGoing(p))
    if (deployment !== undefined && isRolled(deployment) && old.length === 0) return
    const now = Date.now()
    const failed = instances.map((i) => unfitness(i, pods, release, now)).find((f) => f !== undefined)
    if (failed !== undefined) throw await notReady(target, order, failed)
    const failure = deployment === undefined ? undefined : failureOf(deployment)
    const refused = believed(instances.some((i) => i.healthy) ? undefined : failure)
    if (refused !== undefined && !(isQuota(refused) && (await scene.departures.makeRoom()))) {
      throw notMadeFault(scene.namespace, deploymentOf(name), refused)
    }
    // The flag may be of an earlier time: of a rollout that was interrupted, or of the one that this one takes back.
    if (deployment !== undefined && isStuck(deployment) && since(started) > deadline) {
      throw await stuck(target, order, instances, failure)
    }
    const state = JSON.stringify([deployment?.metadata.generation, deployment?.status, instances])
    if (state !== last) [last, moved] = [state, performance.now()]
    if (since(moved) > silentDeadlines * deadline) throw silentFault(scene, name, deployment, since(moved))
    await sleep(pollMs, undefined, { signal })
  }
}

async function notReady(target: Target, { release, tell, keepLog }: RollOrder, failure: NotReady) {
  const logs = await target.logs(failure.instance, logLines)
  await keepLog(`${failure.instance.name}.log`, logs)
  tell(`${failure.instance.name} is not fit to serve: ${failure.instance.trouble?.text ?? failure.why}`)
  return notReadyFault(target, release, failure, logs)
}

/** Its time is over. Where nothing of the release runs yet, the place is slow: its image or its volumes do not come. */
async function stuck(target: Target, order: RollOrder, instances: readonly Instance[], failure: string | undefined) {
  const seconds = order.strategy.progressDeadlineSeconds
  const bad = instances.filter((i) => !i.healthy)
  const [first] = bad
  if (first !== undefined && bad.every((i) => i.preparing === true)) {
    return notReady(target, order, neverRan(first, seconds))
  }
  const logs = first === undefined ? "" : await target.logs(first, logLines)
  return stuckFault(target, seconds, instances, logs || (failure ?? ""))
}

/** Somebody has removed or paused it, or the cluster's controllers do not run. */
function silentFault({ namespace }: Scene, name: string, deployment: Deployment | undefined, seconds: number) {
  const { generation = 0 } = deployment?.metadata ?? {}
  const observed = deployment?.status?.observedGeneration ?? 0
  return fault({
    code: "K8S-SILENT",
    kind: "errored",
    message: `Nothing has happened to Deployment ${name} in ${namespace} for ${Math.round(seconds)} s`,
    reason:
      deployment === undefined
        ? "It is not there: somebody has removed it."
        : observed < generation
          ? `Its controller has looked at generation ${observed}, and this is ${generation}.`
          : "It is neither complete nor does the cluster say what it waits for.",
    hint: `kubectl -n ${namespace} describe deployment ${name}: is it paused, and does kube-controller-manager run? Then run the same command again.`,
  })
}
