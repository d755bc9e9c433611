import { conditionOf, isTrue, type Condition } from "../kinds.js"
import { objectName, type KubernetesObject } from "../object.js"
import { isJob, isLasting } from "../own/marks.js"
import { progressOf, type Progress } from "../own/complete.js"
import type { Expectation } from "./settings.js"

/** A kind that somebody's operator brought: what it means is the operator's affair. */
export const isCustom = ({ apiVersion }: Pick<KubernetesObject, "apiVersion">): boolean => {
  const [group = ""] = apiVersion.includes("/") ? apiVersion.split("/") : [""]
  return group.includes(".") && !group.endsWith(".k8s.io")
}

/** What there is to wait for: the rest is there once it is applied. */
export const isAwaited = (object: KubernetesObject, expected: readonly Expectation[]): boolean =>
  isLasting(object) || isJob(object) || isCustom(object) || expectationsOf(object, expected).length > 0

/**
 * How far an object is. Workloads as `kubectl rollout status` has it, other kinds by the conventions for conditions
 * (sigs.k8s.io/cli-utils/pkg/kstatus); a declared expectation stands above the conventions. Pure.
 * @param made how many objects the operator has made of it; 0: it says nothing, and has done nothing yet
 */
export function progressOfAny(object: KubernetesObject, expected: readonly Expectation[], made: number): Progress {
  const own = expectationsOf(object, expected)
  const plain = isCustom(object) && own.length === 0 ? ofCustom(object, made) : progressOf(object)
  const missing = own.find((e) => String(valueAt(object, e.field)) !== String(e.is))
  if (missing === undefined) return plain
  const found = valueAt(object, missing.field)
  return {
    ...plain,
    done: false,
    text: `${missing.field} is ${found === undefined ? "not set" : JSON.stringify(found)}, not ${JSON.stringify(missing.is)}`,
  }
}

const expectationsOf = ({ kind, metadata }: KubernetesObject, expected: readonly Expectation[]) =>
  expected.filter((e) => e.kind === kind && (e.name ?? metadata.name) === metadata.name)

interface WithStatus {
  readonly observedGeneration?: number
  readonly conditions?: readonly (Condition & { readonly observedGeneration?: number })[]
}

function ofCustom(object: KubernetesObject, made: number): Progress {
  const status = object["status"] as WithStatus | undefined
  const generation = object.metadata.generation ?? 0
  const conditions = status?.conditions
  const stalled = conditionOf(conditions, "Stalled")
  if (stalled?.status === "True") return { done: false, text: said(stalled), failed: said(stalled) }
  if (status?.observedGeneration !== undefined && status.observedGeneration < generation) {
    return { done: false, text: `its operator has seen generation ${status.observedGeneration} of ${generation}` }
  }
  const reconciling = conditionOf(conditions, "Reconciling")
  if (reconciling?.status === "True") return { done: false, text: said(reconciling) }
  for (const type of ["Ready", "Available"]) {
    const condition = conditions?.find((c) => c.type === type)
    if (condition === undefined) continue
    if ((condition.observedGeneration ?? generation) < generation) {
      return { done: false, text: `${type} is of an earlier generation` }
    }
    return { done: isTrue(conditions, type), text: condition.status === "True" ? type : said(condition) }
  }
  if (made === 0 && conditions === undefined) return { done: false, text: "its operator has made nothing of it yet" }
  return { done: true, text: made === 0 ? "accepted" : `${made} made of it` }
}

/**
 * Whether its operator says that it has seen the object as it is now. Many never say it (mariadb-operator's MariaDB, RocketMQ's
 * Broker): right after a change, what they say may be about the declaration before. Pure.
 */
export function hasHeard({ metadata, ...object }: KubernetesObject): boolean {
  const status = object["status"] as WithStatus | undefined
  const told = [status?.observedGeneration, ...(status?.conditions ?? []).map((c) => c.observedGeneration)]
  return told.some((generation) => generation !== undefined && generation >= (metadata.generation ?? 0))
}

const said = ({ type, status, reason, message }: Condition) => message ?? reason ?? `${type} is ${status}`

/** "status.cluster.status" of an object; undefined where a part of the way is missing. Pure. */
export function valueAt(object: object, field: string): unknown {
  return field.split(".").reduce<unknown>((value, part) => {
    return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>)[part] : undefined
  }, object)
}

export const statusText = (object: KubernetesObject, { text }: Progress): string => `${objectName(object)}: ${text}`
