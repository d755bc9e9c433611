import type { CiJob, Presence } from "./flow.js"

/**
 * Leaves out of each job's needs what another need carries along: a job hands on the records that it took over, so naming the
 * last of a chain is enough. Only where the one between is there whenever both ends are; else its absence would lose them.
 */
export function withoutDetours(jobs: readonly CiJob[]): readonly CiJob[] {
  const byName = new Map(jobs.map((job) => [job.name, job]))
  /** What certainly arrives with the artifacts of a job, whenever it and that are there. */
  const brings = new Map<string, ReadonlySet<string>>()
  const certain = (between: string, from: string, to: CiJob) => {
    const [b, f] = [byName.get(between), byName.get(from)]
    // A job that may fail may have left nothing.
    return b !== undefined && f !== undefined && !b.allowFailure && follows(b.presence, f.presence, to.presence)
  }
  return jobs.map((job) => {
    const needs = job.needs.filter(
      (need) =>
        !job.needs.some(
          (other) => other !== need && brings.get(other)?.has(need) === true && certain(other, need, job),
        ),
    )
    const own = new Set(needs)
    for (const need of needs) {
      for (const further of brings.get(need) ?? []) if (certain(need, further, job)) own.add(further)
    }
    brings.set(job.name, own)
    return { ...job, needs }
  })
}

/** Where both `a` and `b` are, there is the third as well. */
export function follows(third: Presence, a: Presence, b: Presence): boolean {
  const when = third.when === undefined ? undefined : JSON.stringify(third.when)
  return (
    (when === undefined || [a, b].some((p) => p.when !== undefined && JSON.stringify(p.when) === when)) &&
    (third.services === undefined ||
      [a, b].some((p) => p.services?.every((s) => third.services?.includes(s)) === true)) &&
    (third.mergeRequests || !a.mergeRequests || !b.mergeRequests)
  )
}
