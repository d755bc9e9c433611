import { fieldManager, type Conflict, type KubeObject } from "../../clients/kubernetes/index.js"
import type { Deployment } from "./kinds.js"
import { scheduleManager } from "./labels.js"
import { ownersOf } from "./owners.js"
import type { Scene } from "./scene.js"
import { tuningOf } from "./settings.js"
import { deploymentName, readTracks, type Tracks } from "./tracks.js"
import type { Track } from "./values.js"

type About = Pick<Scene, "environment" | "service">
const tuning = ({ environment, service }: About) => tuningOf(environment.kubernetes, service)

/** An autoscaler has the say about the number of instances. */
export const isElastic = (scene: About): boolean => tuning(scene).autoscaling !== undefined

/** The clock has a say about it: with an autoscaler about its bounds, else about the number itself. */
export const isScheduled = (scene: About): boolean => (tuning(scene).schedules ?? []).length > 0

/** Whether an autoscaler or the clock has set the number of a Deployment. Pure. */
export function isTheirs(scene: About, deployment: Deployment | undefined): boolean {
  if (deployment === undefined) return false
  return isElastic(scene) || (isScheduled(scene) && isSetBySchedule(deployment, "spec.replicas"))
}

/** Whether the number of a Deployment that serves is somebody else's: then a deployment leaves it as it is. Pure. */
export function isOthers(scene: About, deployment: Deployment | undefined): boolean {
  return (deployment?.spec.replicas ?? 1) > 0 && isTheirs(scene, deployment)
}

export const isSetBySchedule = (object: Pick<KubeObject, "metadata">, path: string): boolean =>
  ownersOf(object, path).some((o) => o.manager === scheduleManager)

/**
 * How many instances a release is to have: what the clock has set; with an autoscaler as many as serve now, if that is more
 * than configured. One at least: where the clock has put it to none, what is delivered is to be seen to run. Pure.
 */
export function numberFor(scene: About, active: Deployment | undefined, configured: number): number {
  if (!isTheirs(scene, active)) return configured
  const now = active?.spec.replicas ?? 1
  return Math.max(isElastic(scene) ? configured : 1, now)
}

/**
 * As `numberFor`, of what has traffic now. Where two releases share it the greater number counts: a new one has no more
 * instances than its share wants, whoever looks at it in the middle. Pure.
 */
export function numberNow(scene: About, { deployments, traffic }: Tracks, configured: number): number {
  const theirs = (["blue", "green"] as const)
    .filter((track) => track === traffic.active || traffic.weights[track] > 0)
    .map((track) => deployments[track])
    .filter((deployment) => isTheirs(scene, deployment))
  return theirs.length === 0 ? configured : Math.max(...theirs.map((d) => numberFor(scene, d, configured)))
}

/** As `numberNow`, of what is there. */
export async function wantedReplicas(scene: Scene, configured: number): Promise<number> {
  return numberNow(scene, await readTracks(scene), configured)
}

const ref = (scene: Pick<Scene, "namespace" | "service">, track: Track) => ({
  apiVersion: "apps/v1",
  kind: "Deployment",
  namespace: scene.namespace,
  name: deploymentName(scene.service, track),
})

/** Keeps a number that nobody else has set yet: a field that its only owner leaves out goes back to the default, one instance. */
const keeper = "gantry-number"

/** Before a Deployment is applied without its number: the number stays as it is. */
export async function letGoOfNumber(scene: Scene, track: Track): Promise<void> {
  const { apiVersion, kind, name, namespace } = ref(scene, track)
  const live = await scene.cluster.read<Deployment>(ref(scene, track))
  if (live === undefined) return
  const owners = ownersOf(live, "spec.replicas")
  const alone = owners.length > 0 && owners.every((o) => o.manager === fieldManager && o.operation === "Apply")
  if (!alone) return
  const { replicas } = live.spec
  await scene.cluster.apply(
    { apiVersion, kind, metadata: { name, namespace }, spec: { replicas } },
    { manager: keeper },
  )
}

/** Where the number is ours again: what an autoscaler or a schedule of ours has set in the past gives way. */
export function takesNumber(scene: Scene, track: Track): (conflict: Conflict) => Promise<boolean> {
  return async ({ field, manager }) => {
    if (field !== ".spec.replicas") return false
    if ([fieldManager, keeper, scheduleManager].includes(manager)) return true
    return manager === "kube-controller-manager" && !(await isAutoscaled(scene, track))
  }
}

interface Autoscaler extends KubeObject {
  readonly spec: { readonly scaleTargetRef: { readonly kind: string; readonly name: string } }
}

/** Somebody's autoscaler is at work on it: one that Gantry does not know of is not taken from him. */
async function isAutoscaled({ cluster, namespace, service }: Scene, track: Track): Promise<boolean> {
  const all = await cluster.list<Autoscaler>({ apiVersion: autoscaling, kind: "HorizontalPodAutoscaler", namespace })
  const name = deploymentName(service, track)
  return all.some(({ spec: { scaleTargetRef: to } }) => to.kind === "Deployment" && to.name === name)
}

export const autoscaling = "autoscaling/v2"
