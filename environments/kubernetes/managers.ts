import { entries, isWithin, type Path } from "./fields.js"
import { fieldManager } from "../../clients/kubernetes/index.js"
import { scheduleManager } from "./labels.js"

/** Who set which fields: https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
export interface ManagedFields {
  readonly manager?: string
  /** "Apply" or "Update" */
  readonly operation?: string
  /** "status", "scale" */
  readonly subresource?: string
  readonly fieldsV1?: unknown
}

/** A field, and who of the others has set it. */
export interface Claim {
  readonly path: Path
  readonly manager: string
  readonly value: unknown
}

const own = new Set([fieldManager, scheduleManager])
/** What controllers of the cluster itself write beside `status`: revisions, the autoscaler's numbers. */
const clusters = new Set(["kube-controller-manager", "kube-scheduler", "kubelet", "kube-apiserver"])

/** `kubectl rollout restart` changes nothing but the time of the restart. */
const harmless = "kubectl.kubernetes.io/restartedAt"

/** What others than Gantry and the cluster's controllers have set in an object, the whole before its parts. Pure. */
export function claims(object: { readonly metadata: { readonly managedFields?: readonly unknown[] } }): Claim[] {
  const managed = (object.metadata.managedFields ?? []) as readonly ManagedFields[]
  return managed
    .filter(({ manager, subresource }) => subresource !== "status" && !own.has(manager ?? ""))
    .flatMap(({ manager = "somebody", subresource, fieldsV1 }) =>
      // The autoscaler is a controller, too: whoever scales by hand is told by name.
      clusters.has(manager)
        ? []
        : owned(fieldsV1, object, []).map(({ path, value }) => ({
            path,
            value,
            manager: subresource === undefined ? manager : `${manager} (${subresource})`,
          })),
    )
    .filter(({ path }) => path.at(-1) !== harmless)
    .sort((a, b) => a.path.length - b.path.length)
}

/**
 * Fields in which others added something that is none of ours: nobody but a look at who set what would find them. Whoever writes
 * the object's status is its operator, and fills in what was left open (mariadb-operator: a dozen fields); that is no drift. Pure.
 */
export function additions(object: Parameters<typeof claims>[0] & { readonly [field: string]: unknown }): Claim[] {
  const managed = (object.metadata.managedFields ?? []) as readonly ManagedFields[]
  const ours = new Set(
    managed
      .filter(({ manager }) => own.has(manager ?? ""))
      .flatMap(({ fieldsV1 }) => owned(fieldsV1, object, []).map(({ path }) => path.join("\0"))),
  )
  const operators = new Set(managed.filter((m) => m.subresource === "status").map(({ manager }) => manager))
  const found: Claim[] = []
  for (const claim of claims(object)) {
    const [top] = claim.path
    if (operators.has(claim.manager)) continue
    // Labels and annotations are there for everybody to add to.
    if (top !== "spec" && top !== "data" && top !== "rules") continue
    if (claim.value === undefined || ours.has(claim.path.join("\0"))) continue
    if (!found.some((f) => isWithin(claim.path, f.path))) found.push(claim)
  }
  return found
}

/** Who has set a field, or something in it. Pure. */
export function managerOf(all: readonly Claim[], path: Path): string | undefined {
  return all.find((c) => isWithin(path, c.path) || isWithin(c.path, path))?.manager
}

interface Owned {
  readonly path: Path
  readonly value: unknown
}

/** Fields of a `fieldsV1` with their values, as `differences` names them. "." is the field itself. */
function owned(fields: unknown, value: unknown, path: Path): Owned[] {
  if (typeof fields !== "object" || fields === null) return []
  const all = Object.entries(fields)
  if (all.length === 0) return [{ path, value }]
  return all.flatMap(([step, inner]): Owned[] => {
    // A map or list that is there because of its parts says nothing; an entry of a list is named by what is in it.
    if (step === ".") return path.at(-1)?.startsWith("[") === true ? [{ path, value }] : []
    const next = follow(step, value)
    return next === undefined ? [] : owned(inner, next.value, [...path, next.name])
  })
}

/** "f:name" a field · 'k:{"name":"web"}' the entry with these keys · "v:x" the entry x of a set · "i:0" by its place. */
function follow(step: string, value: unknown): { readonly name: string; readonly value: unknown } | undefined {
  const [kind, rest] = [step.slice(0, 2), step.slice(2)]
  if (kind === "f:" && typeof value === "object" && value !== null) {
    return { name: rest, value: (value as Readonly<Record<string, unknown>>)[rest] }
  }
  if (!Array.isArray(value)) return undefined
  const named = [...entries(value)]
  if (kind === "i:") return at(named[Number(rest)])
  const wanted = JSON.parse(rest) as unknown
  return at(named.find(([, entry]) => (kind === "v:" ? entry === wanted : hasAll(entry, wanted))))
}

const at = (found: readonly [string, unknown] | undefined) => found && { name: found[0], value: found[1] }

const hasAll = (entry: unknown, keys: unknown): boolean =>
  typeof entry === "object" &&
  entry !== null &&
  Object.entries(keys as object).every(([key, value]) => (entry as Readonly<Record<string, unknown>>)[key] === value)
