import type { Condition } from "../core/condition.js"
import type { CiJob, Presence } from "./job.js"

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
  const bringsOf = (name: string): ReadonlySet<string> => {
    const known = brings.get(name)
    if (known !== undefined) return known
    const job = byName.get(name)
    const all = new Set(job?.needs)
    for (const need of job?.needs ?? []) {
      for (const further of bringsOf(need)) if (job !== undefined && certain(need, further, job)) all.add(further)
    }
    brings.set(name, all)
    return all
  }
  return jobs.map((job) => {
    const named = new Set(job.needs)
    const detours = new Set<string>()
    for (const other of named) {
      const brought = bringsOf(other)
      // By the smaller of the two: a gate names what a hundred services did, and each of those brings a few of its own.
      const [few, many] = named.size < brought.size ? [named, brought] : [brought, named]
      for (const further of few) if (many.has(further) && certain(other, further, job)) detours.add(further)
    }
    return detours.size === 0 ? job : { ...job, needs: job.needs.filter((need) => !detours.has(need)) }
  })
}

/** Where both `a` and `b` are, there is the third as well. */
export function follows(third: Presence, a: Presence, b: Presence): boolean {
  return (
    (third.when === undefined || sameAs(third.when, a.when) || sameAs(third.when, b.when)) &&
    (third.services === undefined || within(a.services, third.services) || within(b.services, third.services)) &&
    (third.mergeRequests || !a.mergeRequests || !b.mergeRequests)
  )
}

function sameAs(one: Condition, other: Condition | undefined): boolean {
  return one === other || (other !== undefined && textOf(one) === textOf(other))
}

/** A hundred services ask for the same few conditions a hundred thousand times. */
const texts = new WeakMap<Condition, string>()

function textOf(condition: Condition): string {
  let text = texts.get(condition)
  if (text === undefined) texts.set(condition, (text = JSON.stringify(condition)))
  return text
}

function within(some: readonly string[] | undefined, all: readonly string[]): boolean {
  return some !== undefined && some.length <= all.length && some.every((name) => all.includes(name))
}
