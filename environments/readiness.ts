import { setTimeout as sleep } from "node:timers/promises"
import type { Instance, Target } from "./target.js"

/** Why an instance did not become ready. */
export interface NotReady {
  readonly instance: Instance
  readonly why: "exited" | "out-of-memory" | "timeout" | "gone" | "trouble"
  readonly afterSeconds: number
}

/** It ended. Pure. */
export const died = (instance: Instance, afterSeconds: number): NotReady => ({
  instance,
  why: instance.exit?.outOfMemory === true ? "out-of-memory" : "exited",
  afterSeconds,
})

/** Nothing of it runs, though its time for that is over: the place is slow, its image or its volumes do not come. Pure. */
export function neverRan(instance: Instance, afterSeconds: number): NotReady {
  const check = instance.check === undefined ? "" : `: ${instance.check}`
  const trouble = { kind: "slow", text: `Nothing of it runs after ${afterSeconds.toFixed(0)} s${check}` }
  return { instance: { ...instance, trouble }, why: "trouble", afterSeconds }
}

const defaultPollMs = 100

/** How long is waited, in seconds. */
export interface Waits {
  /** For an instance to become ready, since something of it runs. */
  readonly timeoutSeconds: number
  /** For something of it to run: its image and its volumes have to come first. */
  readonly prepareSeconds: number
  /** How long it has to be ready without a break. */
  readonly stableSeconds: number
}

/**
 * Waits until every one of the instances has been ready without a break for `stableSeconds`.
 * @returns the seconds it took each, or the first that died or took longer than `timeoutSeconds` (the stable time apart)
 */
export async function awaitReady(
  target: Target,
  instances: readonly Instance[],
  options: Waits & { readonly signal: AbortSignal },
): Promise<{ readonly ready: ReadonlyMap<string, number> } | { readonly failed: NotReady }> {
  const started = performance.now()
  const readySince = new Map<string, number>()
  const runsSince = new Map<string, number>()
  /** Of each instance the last check that had something to say: the newest may be running just now. */
  const checks = new Map<string, string>()
  for (;;) {
    options.signal.throwIfAborted()
    const now = performance.now()
    const seconds = (now - started) / 1000
    const seen = new Map((await target.describe()).map((i) => [i.id, i]))
    for (const known of instances) {
      const instance = seen.get(known.id)
      if (instance === undefined) return { failed: { instance: known, why: "gone", afterSeconds: seconds } }
      if (instance.check !== undefined) checks.set(instance.id, instance.check)
      if (instance.state === "dead") return { failed: died(instance, seconds) }
      if (instance.trouble !== undefined) return { failed: { instance, why: "trouble", afterSeconds: seconds } }
      if (instance.preparing !== true && !runsSince.has(instance.id)) runsSince.set(instance.id, now)
      const runs = runsSince.get(instance.id)
      if (runs === undefined && seconds > options.prepareSeconds) return { failed: neverRan(instance, seconds) }
      if (!instance.healthy) readySince.delete(instance.id)
      else if (!readySince.has(instance.id)) readySince.set(instance.id, now)
      if (!readySince.has(instance.id) && now - (runs ?? now) > options.timeoutSeconds * 1000) {
        const check = checks.get(instance.id)
        return { failed: { instance: { ...instance, check }, why: "timeout", afterSeconds: seconds } }
      }
    }
    const stable = (i: Instance) => now - (readySince.get(i.id) ?? Infinity) >= options.stableSeconds * 1000
    if (instances.every(stable)) {
      return { ready: new Map(instances.map((i) => [i.id, ((readySince.get(i.id) ?? now) - started) / 1000])) }
    }
    await sleep(target.pollMs ?? defaultPollMs, undefined, { signal: options.signal })
  }
}
