import { refOf } from "../../../clients/kubernetes/index.js"
import type { KubernetesObject } from "../object.js"
import { isJob } from "../own/marks.js"
import { inOrder, leftBehind, nameOf } from "../own/order.js"
import { makeRoom, readStaying } from "../room.js"
import { keepObjects } from "./keep.js"
import { hashLabel } from "./marks.js"
import { writeEntry } from "./note.js"
import { planOf, roomWait, tryPlan, type Bringing, type Plan, type Wanted } from "./plan.js"
import { untilReady } from "./wait.js"

/** What became of a dependency. */
export interface Brought {
  readonly name: string
  readonly kind: string
  readonly hash: string
  /** False: it was there as it is declared, and ready. */
  readonly changed: boolean
  /** Of an earlier declaration, left as they are: data may depend on them. */
  readonly left: readonly string[]
}

/**
 * Brings an environment's dependencies to what is declared: asked first whether the cluster takes all of it, noted before it
 * is applied, waited for. The same again changes nothing. Nothing is ever removed: data may depend on it.
 * @throws DEPENDENCY-…, and what the cluster refuses
 */
export async function bringAll(bringing: Bringing, wanted: readonly Wanted[]): Promise<readonly Brought[]> {
  const { memory, environment, signal, tell } = bringing
  const onWait = (holder: { readonly by: string; readonly what: string }) =>
    tell(`${holder.by} is at it (${holder.what}): that is waited for`)
  return memory.locks.hold(
    "deploy",
    `bring the dependencies of ${environment}`,
    async () => {
      const plans: Plan[] = []
      for (const one of wanted) plans.push(await planOf(bringing, one))
      // What the cluster refuses is known before anything is touched.
      for (const plan of plans.filter((p) => !p.unchanged)) await tryPlan(bringing, plan)
      const brought: Brought[] = []
      for (const plan of plans) brought.push(await bringOne(bringing, plan))
      return brought
    },
    { signal, onWait },
  )
}

async function bringOne(bringing: Bringing, plan: Plan): Promise<Brought> {
  const { memory, commit, signal, tell, keepLog, cluster } = bringing
  const { owner, where, dependency, hash, objects, all, before } = plan
  const { name } = owner
  const names = all.map(nameOf)
  const left = leftBehind(before?.objects ?? [], all)
  const entry = { name, kind: dependency.kind, hash, objects: [...names, ...left], commit }
  const done = { name, kind: dependency.kind, hash, left }
  for (const object of left) tell(`${name}: ${object} is not declared any more; it stays, for data may depend on it`)
  if (plan.unchanged) {
    tell(`${name} is there as declared (${hash.slice(0, 12)}), and ready`)
    return { ...done, changed: false }
  }
  for (const image of taggedImages(objects))
    tell(`${name}: ${image} is named by a tag, which may name another image tomorrow`)
  tell(`${name}: ${objects.map((o) => `${o.kind} ${o.metadata.name}`).join(", ")}`)
  await writeEntry(memory.notes, { ...entry, status: "started", at: new Date().toISOString() })
  // Before anything is applied: what was drawn by lot must not be drawn again.
  await keepObjects(bringing, owner, objects)
  const changed: string[] = []
  for (const group of inOrder(all)) {
    signal.throwIfAborted()
    const news = await Promise.all(
      group.map(async (object) => ((await applyOne(bringing, plan, object)) ? [object] : [])),
    )
    changed.push(...news.flat().map(nameOf))
  }
  await untilReady({ cluster, where, dependency, objects, changed, signal, tell, keepLog })
  await writeEntry(memory.notes, { ...entry, status: "ready", at: new Date().toISOString() })
  tell(`${name} is ready`)
  return { ...done, changed: true }
}

/**
 * A Job is never changed: that of another declaration makes room for the new one.
 * @returns whether it was there, and is another one now
 */
async function applyOne(bringing: Bringing, plan: Plan, object: KubernetesObject): Promise<boolean> {
  const { cluster, signal } = bringing
  const there = await readStaying(cluster, refOf(object), roomWait(bringing, plan))
  if (isJob(object)) {
    if (there?.metadata.labels?.[hashLabel] === object.metadata.labels?.[hashLabel]) return false
    if (there !== undefined) await makeRoom(cluster, there, signal)
  }
  const { metadata } = await cluster.apply<KubernetesObject>(object)
  return there !== undefined && there.metadata.generation !== metadata.generation
}

/** Images that are not named by digest: of workloads, and in an operator's kinds ("brokerImage"). Pure. */
export function taggedImages(objects: readonly KubernetesObject[]): readonly string[] {
  const found = JSON.stringify(objects).matchAll(/"\w*image":"([^"]+)"/gi)
  return [...new Set([...found].map(([, image]) => image ?? ""))].filter((image) => !image.includes("@sha256:"))
}
