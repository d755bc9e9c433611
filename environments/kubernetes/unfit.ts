import { died, type NotReady } from "../readiness.js"
import type { Instance } from "../target.js"
import type { Pod } from "./kinds.js"
import { ageOf } from "./trouble.js"

export interface Fitness {
  /** How long its containers may run without being ready; undefined: what brings it judges that itself. */
  readonly startupSeconds?: number | undefined
  /** A pod of a Job: how often it tries again is the Job's own affair. */
  readonly job?: boolean
}

/** What an instance of a new release will not get over; undefined: it is ready, or may yet be. Pure. @param now milliseconds since 1970 */
export function unfitness(
  instance: Instance,
  pods: readonly Pod[],
  { startupSeconds = Infinity, job = false }: Fitness,
  now: number,
): NotReady | undefined {
  if (instance.healthy) return undefined
  const afterSeconds = ageOf(
    pods.find((p) => p.metadata.uid === instance.id),
    now,
  )
  if (instance.state === "dead") return job ? undefined : died(instance, afterSeconds)
  if (instance.trouble !== undefined) return { instance, why: "trouble", afterSeconds }
  // Until it runs, the deadline of what makes it holds.
  if (job || instance.preparing === true) return undefined
  return afterSeconds > startupSeconds ? { instance, why: "timeout", afterSeconds } : undefined
}
