import { createHash } from "node:crypto"
import { canonicalJson, type Json } from "../../core/json.js"
import { shown } from "../views/secretive.js"

/** Where a field stands: names of fields, and of the entries of a list "[web]". */
export type Path = readonly string[]

/** A field in which two objects differ; undefined: it is not there. */
export interface Difference {
  readonly path: Path
  readonly expected: unknown
  readonly found: unknown
}

/** What the API server writes itself, at every change. */
const serversOwn = new Set([
  "metadata.managedFields",
  "metadata.resourceVersion",
  "metadata.generation",
  "metadata.creationTimestamp",
  "metadata.uid",
  "metadata.selfLink",
  "status",
])

/**
 * In which fields an object is not as expected. Entries of lists are told apart by what names them, where all have such a
 * name. Pure. @param only "expected": what else is there is of no interest
 */
export function differences(expected: unknown, found: unknown, only?: "expected", path: Path = []): Difference[] {
  if (serversOwn.has(path.join("."))) return []
  if (isMap(expected) && isMap(found)) {
    const names = only === "expected" ? Object.keys(expected) : allKeys(expected, found)
    return names.flatMap((name) => differences(expected[name], found[name], only, [...path, name]))
  }
  if (Array.isArray(expected) && Array.isArray(found)) {
    const [a, b] = [entries(expected), entries(found)]
    const names = only === "expected" ? [...a.keys()] : [...new Set([...a.keys(), ...b.keys()])]
    return names.flatMap((name) => differences(a.get(name), b.get(name), only, [...path, name]))
  }
  return same(expected, found) ? [] : [{ path, expected, found }]
}

const isMap = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const allKeys = (a: object, b: object) => [...new Set([...Object.keys(a), ...Object.keys(b)])]

const same = (a: unknown, b: unknown) => a === b || (a !== undefined && b !== undefined && text(a) === text(b))

/** Fields by which people know an entry of a list. */
const names = ["name", "mountPath", "key", "type", "containerPort", "port", "ip"]

/** A list by its entries' names: "[web]", or "[0]" where they have none that tells them apart. */
export function entries(list: readonly unknown[]): ReadonlyMap<string, unknown> {
  for (const field of names) {
    const found = list.map((entry) => (isMap(entry) ? entry[field] : undefined))
    const known = found.every((name) => typeof name === "string" || typeof name === "number")
    if (known && new Set(found).size === list.length) return new Map(list.map((e, i) => [`[${String(found[i])}]`, e]))
  }
  return new Map(list.map((entry, i) => [`[${i}]`, entry]))
}

/** "spec.template.spec.containers[web].image": as people write it. Names with dots of their own are quoted. */
export function pathText(path: Path): string {
  return path
    .map((part, i) => {
      if (part.startsWith("[")) return part
      const plain = /[./]/.test(part) ? `["${part}"]` : part
      return i === 0 || plain.startsWith("[") ? plain : `.${plain}`
    })
    .join("")
}

export const isWithin = (path: Path, outer: Path) => outer.every((part, i) => part === path[i])

const longest = 120
/** Of the cluster's own words, which are no value of anybody's. */
const longestWords = 600

/** In place of a field: what the cluster says to the whole object. */
export const refusedPath = "apply"

/** A value as it may be shown: what is or may be a secret is `***`, what is long its length and hash. */
export function valueText(path: Path, value: unknown): string {
  if (value === undefined) return "none"
  // A variable is named by its entry, its value by the word "value".
  const named = [...path].reverse().find((part) => part !== "value") ?? ""
  if (typeof value === "boolean") return String(value)
  const told = shown(named.replace(/^\[|\]$/g, ""), text(value)) ?? ""
  const most = pathText(path) === refusedPath ? longestWords : longest
  if (told.length <= most && !told.includes("\n")) return told === "" ? '""' : told
  const hash = createHash("sha256").update(told).digest("hex").slice(0, 8)
  return `a text of ${told.length} characters (sha256 ${hash})`
}

const text = (value: unknown): string => (typeof value === "string" ? value : canonicalJson(value as Json))
