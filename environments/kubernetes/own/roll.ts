import { setTimeout as sleep } from "node:timers/promises"
import { readHistory } from "../../history.js"
import type { Notes } from "../../memory.js"
import { releaseKey } from "../../release.js"
import type { RollOrder, Target } from "../../target.js"
import type { KubernetesObject } from "../object.js"
import type { Scene } from "../scene.js"
import { applyObjects, removeObjects } from "./apply.js"
import { forgetRelease } from "./keep.js"
import { markOf, selectorOf, type OwnPlace } from "./marks.js"
import { readNote, writeNote } from "./note.js"
import { leftBehind } from "./order.js"
import { untilComplete } from "./wait.js"

const pollMs = 400
const logLines = 2000
/** Pods that lost their workload end within their own grace period; 30 s where nothing else is said. Seconds. */
const endSeconds = 120

export interface OwnRoll {
  readonly place: OwnPlace & Pick<Scene, "departures">
  readonly target: Target
  readonly order: RollOrder
  /** With their marks. */
  readonly objects: readonly KubernetesObject[]
}

/**
 * Brings a service to the objects of a release: applies them, waits until they are complete, removes what earlier releases
 * had and this one has not. Whoever repeats it after a killed process comes to the same end.
 * @throws as `applyObjects` and `untilComplete`
 */
export async function rollOwn(roll: OwnRoll): Promise<void> {
  const { place, target, order, objects } = roll
  const { notes } = target
  const { signal, tell } = order
  const key = releaseKey(order.release)
  const nothingBefore = (await readHistory(notes)).length === 0 && (await target.describe()).every((i) => i.key === key)
  const count = objects.length === 1 ? "one object" : `${objects.length} objects`
  tell(`${count} of its own: ${objects.map((o) => `${o.kind} ${o.metadata.name}`).join(", ")}`)
  try {
    await applyObjects(place, objects, { signal, tell })
    await untilComplete({
      place,
      order,
      objects,
      environment: target.environment,
      logs: (instance) => target.logs(instance, logLines),
    })
  } catch (error) {
    // Nothing to go back to: also what has no pods that anybody could stop must not stay.
    if (nothingBefore) await removeOwn(place, notes, tell)
    throw error
  }
  const { releases } = await readNote(notes)
  const old = leftBehind(
    releases.flatMap((r) => r.objects),
    objects,
  )
  const removed = await removeObjects(place, old)
  if (removed.length > 0) tell(`of an earlier release, removed: ${removed.join(", ")}`)
  await untilEnded(async () => (await target.describe()).some((i) => i.key !== key))
  await forgetOld(place, notes, key)
}

/** All that is noted of a service's own objects goes; volumes and what is kept of its releases stay. */
export async function removeOwn(place: OwnPlace, notes: Notes, tell: (line: string) => void): Promise<void> {
  const { releases } = await readNote(notes)
  const all = leftBehind(
    releases.flatMap((r) => r.objects),
    [],
  )
  const removed = await removeObjects(place, all)
  if (removed.length > 0) tell(`removed: ${removed.join(", ")}`)
  const pods = { apiVersion: "v1", kind: "Pod", namespace: place.namespace, labels: selectorOf(markOf(place)) }
  await untilEnded(async () => (await place.cluster.list(pods)).length > 0)
}

/** Releases that nobody can go back to any more, and those that never ran whole. */
async function forgetOld(place: OwnPlace, notes: Notes, current: string): Promise<void> {
  const known = new Set([current, ...(await readHistory(notes)).map((e) => releaseKey(e.release))])
  const note = await readNote(notes)
  const old = note.releases.filter((r) => !known.has(r.key))
  if (old.length === 0) return
  for (const { key } of old) await forgetRelease(place, key)
  await writeNote(notes, { ...note, releases: note.releases.filter((r) => known.has(r.key)) })
}

async function untilEnded(isThere: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + endSeconds * 1000
  while ((await isThere()) && performance.now() < deadline) await sleep(pollMs)
}
