import { readHistory } from "../../history.js"
import type { Memory } from "../../memory.js"
import { releaseKey } from "../../release.js"
import type { Drift } from "../../views/drift.js"
import type { ClusterDetail, DriftQuestion, Running } from "../../views/view.js"
import { eventsOf, warnings } from "../detail.js"
import { runningInstance } from "../instances.js"
import { objectDrift } from "../drift-object.js"
import type { KubernetesObject } from "../object.js"
import type { Scene } from "../scene.js"
import { removeObjects } from "./apply.js"
import { forgetRelease, readRelease } from "./keep.js"
import { isJob, marked, marks } from "./marks.js"
import { readNote } from "./note.js"
import { refOfName } from "./order.js"
import { ownInstances } from "./pods.js"
import { removeOwn } from "./roll.js"

type Notes = Memory["notes"]

/** Whether a service brings its own objects to the scene's environment. */
export const isOwn = ({ environment, service }: Pick<Scene, "environment" | "service">) =>
  environment.kubernetes.services[service]?.own !== undefined

export async function ownRunning(scene: Scene, notes: Notes): Promise<Running> {
  const [all, note] = await Promise.all([ownInstances(scene), readNote(notes)])
  return {
    url: note.url?.includes(".svc") === true ? undefined : note.url,
    wanted: (await wantedOf(scene, notes)) ?? all.length,
    instances: all.map(runningInstance),
  }
}

interface Workload extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number
    readonly template?: { readonly metadata?: { readonly labels?: Readonly<Record<string, string>> } }
  }
  readonly status?: { readonly desiredNumberScheduled?: number }
}

/** How many pods the workloads of what ran whole last are to have; undefined: it has none that run all the time. */
async function wantedOf(scene: Scene, notes: Notes): Promise<number | undefined> {
  const [last] = await readHistory(notes)
  const { releases } = await readNote(notes)
  const names = releases.find((r) => last !== undefined && r.key === releaseKey(last.release))?.objects ?? []
  const refs = names.filter((n) => /^apps\/v1 (Deployment|StatefulSet|DaemonSet) /.test(n))
  const found = await Promise.all(
    refs.map((name) => {
      const ref = refOfName(name, scene.namespace)
      return ref && scene.cluster.read<Workload>(ref)
    }),
  )
  const carriers = found.filter((w) => w?.spec.template?.metadata?.labels?.[marks.service] === scene.service)
  if (carriers.length === 0) return undefined
  return carriers.reduce((sum, w) => sum + (w?.status?.desiredNumberScheduled ?? w?.spec.replicas ?? 1), 0)
}

/** What somebody changed by hand of the objects that the release was kept with, by a dry run of the cluster's own. */
export async function ownDrift(scene: Scene, { current, others, moving }: DriftQuestion): Promise<readonly Drift[]> {
  if (current === undefined || moving) return []
  const kept = await readRelease(scene, current.release)
  // A Job is never changed, and may have been cleared away after it ended.
  const objects = marked(kept.objects, kept.release, scene).filter((o) => !isJob(o))
  const lines = await Promise.all(
    objects.map(async (object) => {
      const found = await objectDrift(scene.cluster, object)
      const isSecret = object.kind === "Secret"
      return found.map((d) => (isSecret && d.field !== "object" ? { ...d, expected: "***", found: "***" } : d))
    }),
  )
  const known = [current.release, ...others].map(releaseKey)
  const strangers = (await ownInstances(scene)).filter((i) => !known.includes(i.key))
  return [
    ...lines.flat(),
    ...strangers.map((i) => ({ what: `Pod ${i.name}`, field: "release", expected: known.join(" or "), found: i.key })),
  ]
}

export async function ownDetail(scene: Scene): Promise<ClusterDetail> {
  const { cluster, namespace } = scene
  const unwell = (await ownInstances(scene)).filter((i) => !i.healthy)
  const names = unwell.map((i) => i.name)
  const [bad] = names
  return {
    context: cluster.context,
    namespace,
    exposed: "by objects of its own",
    shares: undefined,
    autoscaler: undefined,
    events: bad === undefined ? [] : eventsOf(await warnings(scene), names),
    look: bad === undefined ? undefined : `kubectl --context ${cluster.context} -n ${namespace} describe pod ${bad}`,
  }
}

/** Removes what a service brought itself. With `data` its volumes and what is kept of its releases, too. */
export async function removeAllOwn(scene: Scene, notes: Notes, data: boolean): Promise<void> {
  await removeOwn(scene, notes, scene.tell)
  if (!data) return
  const { releases } = await readNote(notes)
  await removeObjects(scene, [...new Set(releases.flatMap((r) => r.objects))])
  for (const { key } of releases) await forgetRelease(scene, key)
}
