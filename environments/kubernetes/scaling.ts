import { isFault } from "../../core/errors.js"
import { refOf, type Conflict, type KubeObject } from "../../clients/kubernetes/index.js"
import { applyAll } from "./apply.js"
import { labels, scheduleManager } from "./labels.js"
import { partOf } from "./manifest.js"
import { autoscaling, isScheduled, isSetBySchedule } from "./number.js"
import type { Scene } from "./scene.js"
import { tuningOf, type Tuning } from "./settings.js"

const bounds = { minReplicas: "min", maxReplicas: "max" } as const
type Bound = keyof typeof bounds

/** Bounds of the autoscaler that some schedule sets. Pure. */
export function clockedBounds({ schedules = [] }: Pick<Tuning, "schedules">): readonly Bound[] {
  return (Object.keys(bounds) as Bound[]).filter((bound) => schedules.some((s) => s[bounds[bound]] !== undefined))
}

/** The autoscaler without the bounds that a schedule has set, and one still sets: they stay as they are. Pure. */
export function withoutClocked(object: KubeObject, live: KubeObject | undefined, tuning: Tuning): KubeObject {
  const left = clockedBounds(tuning).filter((b) => live !== undefined && isSetBySchedule(live, `spec.${b}`))
  if (left.length === 0) return object
  const spec = Object.entries(object["spec"] as object).filter(([name]) => !left.includes(name as Bound))
  return { ...object, spec: Object.fromEntries(spec) }
}

/** An object as it is applied: an autoscaler without the bounds that the clock has set. */
export async function asApplied(scene: Scene, object: KubeObject): Promise<KubeObject> {
  const tuning = tuningOf(scene.environment.kubernetes, scene.service)
  if (!isAutoscaler(object) || clockedBounds(tuning).length === 0) return object
  return withoutClocked(object, await scene.cluster.read(refOf(object)), tuning)
}

const isAutoscaler = ({ kind }: KubeObject) => kind === "HorizontalPodAutoscaler"

/**
 * Applies a service's autoscaler and schedules, with the account that a run of the clock has: what it may scale follows the
 * traffic. @param objects all that were rendered; the others are left
 */
export async function applyScaling(scene: Scene, objects: readonly KubeObject[]): Promise<void> {
  const isClocks = (o: KubeObject) => partOf(o) === "account" && o.metadata.name === scheduleName(scene)
  await applyAll(scene, objects.filter(isClocks))
  const scaling = objects.filter((o) => partOf(o) === "scaling")
  await Promise.all([
    applyAll(
      scene,
      scaling.filter((o) => !isAutoscaler(o)),
    ),
    ...scaling.filter(isAutoscaler).map((o) => applyAutoscaler(scene, o)),
  ])
}

async function applyAutoscaler(scene: Scene, object: KubeObject): Promise<void> {
  const { cluster, environment, service } = scene
  const clocked = clockedBounds(tuningOf(environment.kubernetes, service))
  // A schedule that is there no more has no say any more.
  const over = ({ field, manager }: Conflict) =>
    Promise.resolve(
      manager === scheduleManager &&
        (Object.keys(bounds) as Bound[]).some((b) => field === `.spec.${b}` && !clocked.includes(b)),
    )
  for (let attempt = 1; ; attempt++) {
    try {
      await cluster.apply(await asApplied(scene, object), { over })
      return
    } catch (error) {
      // The clock struck between the look and the change: once more, with what it has set.
      if (attempt === 3 || clocked.length === 0 || !isFault(error) || error.code !== "K8S-CONFLICT") throw error
    }
  }
}

const scheduleName = ({ service }: Pick<Scene, "service">) => `${service}-schedule`

/** Removes the autoscaler and the schedules that a service has no more: they would go on scaling it. */
export async function dropScaling(scene: Scene, objects: readonly KubeObject[]): Promise<void> {
  const { cluster, namespace, service, tell } = scene
  const wanted = new Set(objects.map((o) => `${o.kind}/${o.metadata.name}`))
  const kinds = [
    { apiVersion: autoscaling, kind: "HorizontalPodAutoscaler" },
    { apiVersion: "batch/v1", kind: "CronJob" },
  ]
  const selector = `${labels.name}=${service},${labels.part}=scaling,${labels.managedBy}=gantry`
  const found = await Promise.all(
    kinds.map((kind) => cluster.list<KubeObject>({ ...kind, namespace, labels: selector })),
  )
  const old = found.flat().filter((o) => !wanted.has(`${o.kind}/${o.metadata.name}`))
  await Promise.all(old.map((o) => cluster.remove(refOf(o))))
  for (const { kind, metadata } of old) tell(`${kind} ${metadata.name} is removed: ${service} has it no more`)
  if (isScheduled(scene) || !old.some((o) => o.kind === "CronJob")) return
  const rbac = "rbac.authorization.k8s.io/v1"
  const account = [
    { apiVersion: rbac, kind: "RoleBinding" },
    { apiVersion: rbac, kind: "Role" },
    { apiVersion: "v1", kind: "ServiceAccount" },
    { apiVersion: "v1", kind: "ConfigMap" },
  ]
  await Promise.all(account.map((kind) => cluster.remove({ ...kind, namespace, name: scheduleName(scene) })))
}
