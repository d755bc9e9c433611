import { isGoing, isTrue, type Pod } from "../kinds.js"
import { roomSeconds, takeAway, type LeftPlace } from "../left-pods.js"
import type { KubernetesObject } from "../object.js"
import { revisionOf } from "../revision.js"
import { troubleOf, type Trouble } from "../trouble.js"
import { asInstances } from "./pods.js"

/** A pod that is replaced in the usual way is ready until the very moment in which its controller removes it. Seconds. */
const readySeconds = 10

interface StatefulSet extends KubernetesObject {
  readonly spec: {
    readonly ordinals?: { readonly start?: number }
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } }
  }
}

/** A pod of a revision that was left, for which its StatefulSet waits. */
export interface Holder {
  readonly pod: Pod
  readonly kind: Trouble["kind"] | "not-ready"
  /** For people: "cannot run (ImagePullBackOff)". */
  readonly why: string
  /** How long it has to be so before it counts. Seconds. */
  readonly seconds: number
}

/**
 * Which pods keep a StatefulSet from bringing the revision that is wanted. Whatever of it can be replaced by the controller
 * alone is not among them. Pure.
 * @param object as it is now
 * @param pods those on their way out as well
 * @param now milliseconds since 1970
 */
export function holdersOf(object: KubernetesObject, pods: readonly Pod[], now: number): readonly Holder[] {
  if (object.kind !== "StatefulSet") return []
  const { ordinals, updateStrategy } = (object as StatefulSet).spec
  // Whoever chose that takes pods away himself.
  if (updateStrategy?.type === "OnDelete") return []
  const first = (ordinals?.start ?? 0) + (updateStrategy?.rollingUpdate?.partition ?? 0)
  const own = pods.filter(
    (pod) => pod.metadata.ownerReferences?.some(({ uid }) => uid === object.metadata.uid) === true,
  )
  const living = own.filter((pod) => !isGoing(pod))
  // Below the partition pods are made as they were.
  const left = living.filter((pod) => revisionOf(pod, [object]) === "left" && ordinalOf(pod) >= first)
  const broken = left.flatMap((pod): readonly Holder[] => {
    const trouble = troubleOf(pod, now)
    if (trouble === undefined) return []
    const { kind, text } = trouble
    return [{ pod, kind, why: `cannot run (${text})`, seconds: kind === "unschedulable" ? roomSeconds : 0 }]
  })
  const waiting = living.filter(({ status }) => !isTrue(status?.conditions, "Ready"))
  // One that comes or goes has its turn first: members of a cluster may be ready only together.
  if (broken.length > 0 || living.length < own.length || !waiting.every((pod) => left.includes(pod))) return broken
  const [next] = [...waiting].sort((a, b) => ordinalOf(a) - ordinalOf(b))
  if (next === undefined) return []
  const check = asInstances([next])[0]?.check
  const why = `does not get ready${check === undefined ? "" : ` (${check})`}`
  return [{ pod: next, kind: "not-ready", why, seconds: readySeconds }]
}

/** "web-2": 2. */
const ordinalOf = ({ metadata }: Pod): number => Number(/-(\d+)$/.exec(metadata.name)?.[1] ?? Infinity)

/** Takes away what holds a StatefulSet, once it has done so for long enough: hand it what every look finds. */
export function holderRemover(place: LeftPlace): (object: KubernetesObject, pods: readonly Pod[]) => Promise<void> {
  let since: ReadonlyMap<string, number> = new Map()
  return async (object, pods) => {
    const now = performance.now()
    const holders = holdersOf(object, pods, Date.now()).map((holder) => {
      const key = `${holder.pod.metadata.uid ?? ""} ${holder.kind}`
      return { ...holder, key, began: since.get(key) ?? now }
    })
    // What is not said any more begins anew.
    since = new Map(holders.map(({ key, began }) => [key, began]))
    for (const { pod, why, seconds, began } of holders) {
      if (now - began >= seconds * 1000) await takeAway(place, pod, "the release that is left", why)
    }
  }
}
