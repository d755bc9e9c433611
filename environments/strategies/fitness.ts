import type { ReleaseSpec } from "../release.js"
import type { Instance, Target } from "../target.js"
import { exitText } from "./instances.js"
import type { Sides } from "./traffic.js"

/** An instance that was well and fails its health check for so long is not fit. Seconds. */
const unhealthySeconds = 5
/**
 * While an instance of the release before is unwell, too, the place is in trouble, not the release: nobody is judged, and going back
 * would help nobody. No longer than this, for what then is still unwell may be what keeps the other so. Seconds.
 */
const excusedSeconds = 120

/** An instance of the new release that is not fit, and why. */
export interface Unfit {
  readonly instance: Instance
  readonly why: string
}

/** Told what runs, again and again. @param now milliseconds, of a clock that never goes back */
export type FitnessWatch = (sides: Sides, now: number) => Unfit | undefined

/**
 * Watches the instances of a new release. One that died, or was started again, is not fit; nor is one that was well and is so no
 * longer, or does not become ready within its release's time since something of it runs. One that is gone was taken by the place,
 * where the place brings another by itself; elsewhere somebody has removed it, and nobody knows why.
 */
export function watchFitness(
  { startupSeconds }: Pick<ReleaseSpec, "startupSeconds">,
  { replaces = false }: Pick<Target, "replaces">,
): FitnessWatch {
  /** Of the new release, as they were last seen. */
  const known = new Map<string, Instance>()
  /** Restarts of each when it was first seen. */
  const restarts = new Map<string, number>()
  /** Of both releases: those that were ready once. */
  const well = new Set<string>()
  /** Since when one is not ready, and since when that counts. */
  const unready = new Map<string, { readonly since: number; readonly counts: number }>()

  const gone = ({ fresh }: Sides): Unfit | undefined => {
    const here = new Set(fresh.map((i) => i.id))
    for (const [id, instance] of known) {
      if (here.has(id)) continue
      if (!replaces) return { instance, why: "it was removed by somebody else" }
      known.delete(id)
      unready.delete(id)
    }
    return undefined
  }

  const illness = (instance: Instance, excused: boolean, now: number): string | undefined => {
    const { id } = instance
    if (instance.healthy || instance.preparing === true) {
      unready.delete(id)
      return undefined
    }
    const before = unready.get(id) ?? { since: now, counts: now }
    const { since } = before
    const counts = excused ? now : before.counts
    unready.set(id, { since, counts })
    const was = well.has(id)
    const most = was ? unhealthySeconds : startupSeconds
    const seconds = (now - since) / 1000
    if ((now - counts) / 1000 < most && seconds < most + excusedSeconds) return undefined
    const check = instance.check ?? "no answer"
    return was
      ? `it fails its health check for ${seconds.toFixed(0)} s (${check})`
      : `it is not ready ${seconds.toFixed(0)} s after it was started (${check})`
  }

  return (sides, now) => {
    const missing = gone(sides)
    if (missing !== undefined) return missing
    // One that is starting, or never was well, says nothing about the place.
    const excused = sides.stable.some((i) => i.state === "running" && !i.healthy && well.has(i.id))
    for (const { id, healthy } of sides.stable) if (healthy) well.add(id)
    for (const instance of sides.fresh) {
      const { id } = instance
      known.set(id, instance)
      // Only what was ready is given traffic.
      if (instance.healthy || instance.weight > 0) well.add(id)
      if (instance.state === "dead") return { instance, why: `it died (${exitText(instance)})` }
      if (!restarts.has(id)) restarts.set(id, instance.restarts)
      if (instance.restarts > (restarts.get(id) ?? 0)) return { instance, why: "it died and was started again" }
      const why = illness(instance, excused, now)
      if (why !== undefined) return { instance, why }
    }
    return undefined
  }
}
