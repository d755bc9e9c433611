import type { Job } from "../core/jobs.js"

/** Of jobs whose steps name none. */
const unnamed = "steps"

/**
 * Stages as the steps name them, each behind the ones it needs jobs of. Two stages that need each other become one: within a
 * stage `needs` alone say the order.
 */
export function stagesOf(jobs: readonly Job[]): {
  readonly stages: readonly string[]
  stageOf(job: Job): string
} {
  const said = (job: Job) => job.steps.find((s) => s.definition.stage !== undefined)?.definition.stage ?? unnamed
  const byName = new Map(jobs.map((job) => [job.name, job]))
  const before = new Map<string, Set<string>>()
  for (const job of jobs) {
    const own = before.get(said(job)) ?? new Set()
    before.set(said(job), own)
    for (const need of job.needs) {
      const needed = byName.get(need)
      if (needed !== undefined && said(needed) !== said(job)) own.add(said(needed))
    }
  }
  const all = new Map([...before.keys()].map((stage) => [stage, ancestors(stage, before)]))
  const sameAs = (stage: string) =>
    [...before.keys()].find(
      (s) => s === stage || (all.get(s)?.has(stage) === true && all.get(stage)?.has(s) === true),
    ) ?? stage
  const stages: string[] = []
  const left = new Set([...before.keys()].filter((stage) => sameAs(stage) === stage))
  while (left.size > 0) {
    const next = [...left].find(
      (stage) => ![...(all.get(stage) ?? [])].some((s) => s !== stage && left.has(sameAs(s)) && sameAs(s) !== stage),
    )
    if (next === undefined) break
    stages.push(next)
    left.delete(next)
  }
  return { stages, stageOf: (job) => sameAs(said(job)) }
}

function ancestors(stage: string, before: ReadonlyMap<string, ReadonlySet<string>>): ReadonlySet<string> {
  const found = new Set<string>()
  const visit = (s: string) => {
    for (const b of before.get(s) ?? []) if (!found.has(b)) visit((found.add(b), b))
  }
  visit(stage)
  return found
}
