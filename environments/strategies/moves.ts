import type { Instance } from "../target.js"

/** What a rolling deployment does next. */
export type Move =
  | { readonly kind: "remove"; readonly instances: readonly Instance[] }
  | { readonly kind: "start"; readonly count: number }
  | { readonly kind: "admit"; readonly instances: readonly Instance[] }
  | { readonly kind: "retire"; readonly instance: Instance }
  | { readonly kind: "wait" }
  | { readonly kind: "done" }

export interface Wanted {
  /** releaseKey of the release that shall run. */
  readonly key: string
  readonly replicas: number
  readonly maxSurge: number
  readonly maxUnavailable: number
}

/**
 * The next move from what runs to what is wanted. Looks at nothing but its arguments: a process that takes over from a
 * killed one comes to the same conclusion, whatever state it finds.
 */
export function nextMove(instances: readonly Instance[], wanted: Wanted): Move {
  const { replicas, maxSurge, maxUnavailable } = wanted
  const dead = instances.filter((i) => i.state === "dead")
  if (dead.length > 0) return { kind: "remove", instances: dead }

  const fresh = instances.filter((i) => i.key === wanted.key)
  const old = instances.filter((i) => i.key !== wanted.key)
  const serving = instances.filter(isServing)
  const spare = serving.length - (replicas - maxUnavailable)

  // What has no traffic is no loss.
  const useless = old.find((i) => i.weight === 0)
  if (useless !== undefined) return { kind: "retire", instance: useless }

  const count = Math.min(replicas - fresh.length, replicas + maxSurge - instances.length)
  if (count > 0) return { kind: "start", count }

  const waiting = fresh.filter((i) => i.weight === 0)
  if (waiting.length > 0) return { kind: "admit", instances: waiting }

  // What does not answer goes first, but not before there is something in its place: a moment in which no old one passes its
  // health check, as under much load, must not take them all away.
  const surplus = old.find((i) => !isServing(i)) ?? old[0] ?? (fresh.length > replicas ? fresh.at(-1) : undefined)
  if (surplus !== undefined) {
    return spare > 0 || !isServing(surplus) ? { kind: "retire", instance: surplus } : { kind: "wait" }
  }

  return fresh.every(isServing) ? { kind: "done" } : { kind: "wait" }
}

/** In the balancer, and found ready by it. */
export function isServing(instance: Instance): boolean {
  return instance.state === "running" && instance.weight > 0 && instance.healthy
}
