import { setTimeout as sleep } from "node:timers/promises"
import { isQuota } from "../../clients/kubernetes/index.js"
import { readRelease, releaseKey, type ReleaseSpec } from "../release.js"
import type { Instance } from "../target.js"
import { applyAll } from "./apply.js"
import { isGoing, type Deployment } from "./kinds.js"
import { annotations } from "./labels.js"
import { lasting } from "./lasting.js"
import { objectsFor, partOf, type Wanted } from "./manifest.js"
import { isElastic, letGoOfNumber, takesNumber } from "./number.js"
import { deploymentOf, notMadeFault } from "./not-made.js"
import type { Scene } from "./scene.js"
import { deploymentName, keyOfPod, readPods, readTracks, trackFor, trackOfPod } from "./tracks.js"
import { failureOf } from "./trouble.js"

const pollMs = 300
/** A controller that is told of a new number makes the pods, or says why not, well within that; so long may it be kept from it. Seconds. */
const appearSeconds = 90

/** The instances' objects: configuration first, for pods would wait for it. Without a number, or with an autoscaler, that stays. */
export async function applyInstances(scene: Scene, wanted: Wanted): Promise<void> {
  const replicas = isElastic(scene) ? undefined : wanted.replicas
  const objects = await objectsFor(scene, { ...wanted, replicas })
  const of = (...parts: string[]) => objects.filter((o) => parts.includes(partOf(o) ?? ""))
  await applyAll(scene, of("config", "account"))
  if (replicas === undefined) await letGoOfNumber(scene, wanted.track)
  const over = takesNumber(scene, wanted.track)
  await Promise.all(of("instance").map((o) => scene.cluster.apply(o, replicas === undefined ? {} : { over })))
}

/** Sets the number where it is no field of ours: an autoscaler changes it later as it likes. */
export async function scaleTo(scene: Scene, deployment: string, replicas: number): Promise<void> {
  const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace: scene.namespace, name: deployment }
  await scene.cluster.patch(ref, { spec: { replicas } }, "scale")
}

/** Has so many more instances of a release run, on its track. Returns when the cluster has made them. @throws K8S-QUOTA, K8S-DENIED */
export async function startOn(
  scene: Scene,
  release: ReleaseSpec,
  count: number,
  pace: Wanted["pace"],
  signal: AbortSignal,
): Promise<void> {
  const key = releaseKey(release)
  const tracks = await readTracks(scene)
  const track = trackFor(tracks, key)
  const alive = async () => (await readPods(scene)).filter((p) => keyOfPod(p) === key && !isGoing(p)).length
  const replicas = (await alive()) + count
  await applyInstances(scene, { release, track, replicas, traffic: tracks.traffic, pace })
  if (isElastic(scene)) await scaleTo(scene, deploymentName(scene.service, track), replicas)
  const maker = deploymentOf(deploymentName(scene.service, track))
  const believed = lasting()
  let started = performance.now()
  for (;;) {
    signal.throwIfAborted()
    if ((await alive()) >= replicas) return
    const { deployments } = await readTracks(scene)
    const deployment = deployments[track]
    const failure = believed(deployment === undefined ? undefined : failureOf(deployment))
    if (failure !== undefined && isQuota(failure) && (await scene.departures.makeRoom())) started = performance.now()
    else if (failure !== undefined) throw notMadeFault(scene.namespace, maker, failure)
    // Meanwhile the autoscaler, or the clock, wants fewer.
    if (deployment !== undefined && (deployment.spec.replicas ?? 1) < replicas) return
    if ((performance.now() - started) / 1000 > appearSeconds) {
      throw notMadeFault(scene.namespace, maker, `${appearSeconds} s after it was asked for, no pod is there.`)
    }
    await sleep(pollMs, undefined, { signal })
  }
}

/** Changes of one number in this process, one after the other. */
let turn: Promise<unknown> = Promise.resolve()
function inTurn<T>(work: () => Promise<T>): Promise<T> {
  const mine = turn.then(work, work)
  turn = mine.catch(() => undefined)
  return mine
}

/** Takes this very instance away: it leaves the Services, finishes its requests, and ends. Returns when it is gone. */
export async function stopOne(scene: Scene, instance: Instance, pace: Wanted["pace"]): Promise<void> {
  const { cluster, namespace, service } = scene
  const pod = { apiVersion: "v1", kind: "Pod", namespace, name: instance.name }
  const own = async () => (await readPods(scene)).find((p) => p.metadata.uid === instance.id)
  await inTurn(async () => {
    const found = await own()
    if (found === undefined || isGoing(found)) return
    const track = trackOfPod(found)
    const tracks = await readTracks(scene)
    const deployment = tracks.deployments[track]
    const replicas = (deployment?.spec.replicas ?? 1) - 1
    const ref = { apiVersion: "apps/v1", kind: "Deployment", namespace, name: deploymentName(service, track) }
    const release = deployment && releaseOf(deployment)
    if (release === undefined || replicas <= 0) return cluster.remove(ref)
    // https://kubernetes.io/docs/concepts/workloads/controllers/replicaset/#pod-deletion-cost
    await cluster.patch(pod, { metadata: { annotations: { "controller.kubernetes.io/pod-deletion-cost": "-1000" } } })
    if (isElastic(scene)) return scaleTo(scene, ref.name, replicas)
    return applyInstances(scene, { release, track, replicas, traffic: tracks.traffic, pace })
  })
  await untilGone(async () => (await own()) !== undefined, pace)
}

/** A pod takes at most its drain and its grace; a kubelet that is busy, a little more. */
export async function untilGone(isThere: () => Promise<boolean>, pace: Wanted["pace"]): Promise<void> {
  const deadline = performance.now() + (pace.drainSeconds + pace.graceSeconds + 30) * 1000
  while ((await isThere()) && performance.now() < deadline) await sleep(pollMs)
}

/** The release that a Deployment's pods are made of. */
export function releaseOf({ spec }: Deployment): ReleaseSpec | undefined {
  return readRelease(spec.template.metadata?.annotations?.[annotations.release])
}
