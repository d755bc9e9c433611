import { fault } from "../../../core/errors.js"
import { hashJson, type Json } from "../../../core/json.js"
import type { KubernetesObject } from "../object.js"
import { nameOf } from "../own/order.js"

/** What a dependency consists of, and what it is made of: the same input has the same hash. */
export interface Settled {
  readonly objects: readonly KubernetesObject[]
  readonly hash: string
}

/**
 * What charts draw by lot (passwords, mostly) is drawn once. Two renderings of one input differ in just that: there, what
 * was drawn before stays, and the hash leaves it out. Pure.
 * @param before as they were applied last; none: the first rendering draws
 * @throws DEPENDENCY-NAMES when even the objects' names are drawn
 */
export function settled(
  name: string,
  first: readonly KubernetesObject[],
  second: readonly KubernetesObject[],
  before: readonly KubernetesObject[],
): Settled {
  const again = new Map(second.map((object) => [nameOf(object), object]))
  const kept = new Map(before.map((object) => [nameOf(object), object]))
  const drawn = first.filter((object) => !again.has(nameOf(object)))
  if (drawn.length > 0) {
    throw fault({
      code: "DEPENDENCY-NAMES",
      kind: "usage",
      message: `${name}: its chart gives objects another name each time that it is rendered`,
      reason: drawn.map(nameOf).join(", "),
      hint: "Set the names by values: what has another name is another object, and its data are not found again.",
    })
  }
  const objects = first.map((object) => {
    const at = nameOf(object)
    return settle(object, again.get(at), kept.get(at)) as KubernetesObject
  })
  const fixed = first.map((object) => settle(object, again.get(nameOf(object)), null))
  return { objects, hash: hashJson(fixed as Json) }
}

/** @param before undefined: nothing; null: what is drawn is left out */
function settle(a: unknown, b: unknown, before: unknown): unknown {
  if (Array.isArray(a) && Array.isArray(b) && a.length === b.length) {
    const kept = before === null ? a.map(() => null) : Array.isArray(before) ? before : []
    return a.map((item: unknown, i) => settle(item, b[i], kept[i]))
  }
  if (isRecord(a) && isRecord(b)) {
    const kept = isRecord(before) ? before : {}
    return Object.fromEntries(
      Object.entries(a).map(([key, value]) => [key, settle(value, b[key], before === null ? null : kept[key])]),
    )
  }
  if (Object.is(a, b)) return a
  if (before === null) return null
  return typeof before === typeof a ? before : a
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)
