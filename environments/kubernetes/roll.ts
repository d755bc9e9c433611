import { setTimeout as sleep } from "node:timers/promises"
import { isFault } from "../../core/errors.js"
import { within } from "../../core/within.js"
import { releaseKey } from "../release.js"
import type { RollOrder, Target } from "../target.js"
import { fullWeight } from "../target.js"
import { isElastic, isOthers } from "./number.js"
import { untilRolled } from "./rolled.js"
import { applyInstances, releaseOf, scaleTo, untilGone } from "./scale.js"
import type { Scene } from "./scene.js"
import { otherTrack, type TrafficState } from "./traffic.js"
import { deploymentName, keyOf, readPods, readTracks, trackOfPod } from "./tracks.js"
import type { Track } from "./values.js"

const pollMs = 400

/** After these an object is as it was. */
const untouched: readonly string[] = ["K8S-CONFLICT", "K8S-DENIED", "K8S-WEBHOOK"]

/** All the traffic to one track. */
export type TakeAll = (track: Track) => Promise<void>

/**
 * Brings a service to a release by the cluster's own means: where the release runs, or did when its rollout was cut off, its
 * Deployment is brought to full size and takes the traffic; else the Deployment that has the traffic is rolled over to it.
 * The cluster goes on also when this process is killed; whoever repeats the order waits for the same end.
 * @throws DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, DEPLOY-STUCK, DEPLOY-IMAGE, … K8S-QUOTA
 */
export async function rollNatively(scene: Scene, target: Target, order: RollOrder, takeAll: TakeAll): Promise<void> {
  const { release, replicas, strategy, tell } = order
  const key = releaseKey(release)
  const tracks = await readTracks(scene)
  const { deployments, traffic } = tracks
  const own = (["blue", "green"] as const).find((t) => keyOf(deployments[t]) === key)
  const track = own ?? traffic.active
  const name = deploymentName(scene.service, track)
  const before = deployments[track]
  const fresh = before === undefined
  // While it serves, an autoscaler or the clock has the say about its number.
  const left = track === traffic.active && isOthers(scene, before)
  tell(
    own !== undefined
      ? `${name} has this release: ${left ? (before?.spec.replicas ?? 1) : replicas} instances of it`
      : fresh
        ? `${name} is made, with ${replicas} instances`
        : `${name} rolls over, ${strategy.maxSurge} more and ${strategy.maxUnavailable} fewer at a time`,
  )
  // The very release that is there, with the commit it came with: its pods stay as they are.
  const there = own && before && releaseOf(before)
  const count = left ? undefined : replicas
  try {
    await applyInstances(scene, { release: there ?? release, track, replicas: count, traffic, pace: strategy })
  } catch (error) {
    // Somebody else's hand is in it, or nothing may be changed. What runs whole there goes on: whoever comes back to it needs
    // no more.
    if (!isFault(error) || !untouched.includes(error.code) || own === undefined) throw error
    const ready = (await target.describe()).filter((i) => i.key === key && i.healthy).length
    if (ready < replicas) throw error
    tell(`${name} stays as it was found: ${error.reason ?? error.message}`)
  }
  if (isElastic(scene) && !left && (before?.spec.replicas ?? 0) < replicas) await scaleTo(scene, name, replicas)
  try {
    await untilRolled(scene, target, order, track)
  } catch (error) {
    if (fresh) await withoutPods(scene, name).catch(() => undefined)
    throw error
  }
  // Where nothing ran before, this is when its Services learn of it.
  if (!hasAll(traffic, track)) await takeAll(track)
  await retireTrack(scene, otherTrack(track), order)
  if (fresh) await untilReached(target, order)
}

/** How long the nodes may take to learn of a Service's first pods: kube-proxy tells them about once a second. Seconds. */
const reachSeconds = 15

/** Whoever asks right after the first deployment is answered. Where the address is not ours to reach, nothing is waited for. */
export async function untilReached({ url }: Pick<Target, "url">, { release, signal, tell }: RollOrder): Promise<void> {
  const deadline = performance.now() + reachSeconds * 1000
  let last = ""
  while (performance.now() < deadline) {
    signal.throwIfAborted()
    try {
      const status = await within(2_000, signal, async (stop) => {
        const answer = await fetch(`${url}${release.readiness}`, { signal: stop, redirect: "manual" })
        await answer.text()
        return answer.status
      })
      if (status < 500) return
      last = `status ${status}`
    } catch (error) {
      const { cause, message } = error as Error & { cause?: { code?: string } }
      if (cause?.code === "ENOTFOUND" || cause?.code === "EAI_AGAIN") return
      last = cause?.code ?? message
    }
    await sleep(pollMs, undefined, { signal })
  }
  tell(`${url} does not answer from here (${last}): its pods are ready all the same`)
}

const hasAll = ({ active, weights }: TrafficState, track: Track) =>
  active === track && weights[track] === fullWeight && weights[otherTrack(track)] === 0

/** What has no pods nobody can stop: it would come up one day, unasked, when the cluster makes pods again. */
async function withoutPods(scene: Scene, name: string): Promise<void> {
  if ((await readPods(scene)).length > 0) return
  await scene.cluster.remove({ apiVersion: "apps/v1", kind: "Deployment", namespace: scene.namespace, name })
}

/** A track that has no traffic any more goes whole: its pods finish their requests first. */
async function retireTrack(scene: Scene, track: Track, { strategy, tell }: RollOrder): Promise<void> {
  const { cluster, namespace, service } = scene
  const left = async () => (await readPods(scene)).filter((p) => trackOfPod(p) === track)
  const { deployments } = await readTracks(scene)
  if (deployments[track] === undefined && (await left()).length === 0) return
  const name = deploymentName(service, track)
  await cluster.remove({ apiVersion: "apps/v1", kind: "Deployment", namespace, name })
  await untilGone(async () => (await left()).length > 0, strategy)
  tell(`${name} is gone`)
}
