import { fault } from "./errors.js"
import type { Pipeline } from "./pipeline.js"
import { predecessors, type AnyStep } from "./step.js"
import { stepIdPattern } from "./step-check.js"

/** What a CI system runs in one job: one step, or a few that share what is too large to be handed on. */
export interface Job {
  /** The step's id, or the name of the group. */
  readonly name: string
  /** In the order in which they run. */
  readonly steps: readonly AnyStep[]
  /** Names of the jobs whose steps come before, data and order. */
  readonly needs: readonly string[]
}

/**
 * The jobs of a pipeline, each behind what it needs: one for each step, except for those that `jobs` of the pipeline puts
 * together.
 * @throws JOB-NAME, JOB-STEP, JOB-MIXED, JOB-CYCLE
 */
export function jobsOf(pipeline: Pipeline): readonly Job[] {
  const jobOf = new Map<AnyStep, string>()
  const byId = new Map(pipeline.steps.map((s) => [s.id, s]))
  for (const [name, steps] of Object.entries(pipeline.jobs)) {
    checkGroup(pipeline, byId, name, steps)
    for (const s of steps) {
      const other = jobOf.get(s)
      if (other !== undefined) throw wrongStep(name, `${s.id} is in job "${other}" already`)
      jobOf.set(s, name)
    }
  }
  const steps = new Map<string, AnyStep[]>()
  for (const s of pipeline.steps) {
    const name = jobOf.get(s) ?? s.id
    jobOf.set(s, name)
    const found = steps.get(name)
    if (found === undefined) steps.set(name, [s])
    else found.push(s)
  }
  const jobs = [...steps].map(([name, of]): Job => {
    const before = of.flatMap(predecessors).map((p) => jobOf.get(p) ?? p.id)
    return { name, steps: of, needs: [...new Set(before)].filter((need) => need !== name) }
  })
  return inOrder(jobs)
}

/** A group shares one environment, one service and no gate: those belong to a job as a whole in every CI system. */
function checkGroup(
  pipeline: Pipeline,
  byId: ReadonlyMap<string, AnyStep>,
  name: string,
  steps: readonly AnyStep[],
): void {
  if (!stepIdPattern.test(name)) {
    throw fault({
      code: "JOB-NAME",
      kind: "usage",
      message: `"${name}" is not the name of a job`,
      reason: "Names are lower-case words and digits joined by - or .",
      hint: "Rename it in `jobs` of the pipeline.",
    })
  }
  if (steps.length === 0) throw wrongStep(name, "it has no steps")
  const namesake = byId.get(name)
  if (namesake !== undefined && !steps.includes(namesake)) throw wrongStep(name, "a step outside of it has this name")
  const stray = steps.find((s) => byId.get(s.id) !== s)
  if (stray !== undefined) throw wrongStep(name, `${stray.id} is no step of pipeline ${pipeline.name}`)
  const gate = steps.length > 1 ? steps.find((s) => s.kind === "gate") : undefined
  if (gate !== undefined) throw mixed(name, `${gate.id} is a gate: nobody but it waits for a person`)
  for (const field of ["environment", "service"] as const) {
    const values = new Set(steps.map((s) => s.definition[field]))
    if (values.size > 1) throw mixed(name, `its steps belong to several: ${field} ${[...values].join(", ")}`)
  }
}

/** Behind what they need. Steps of a pipeline cannot need each other in a circle, groups of them can. */
function inOrder(jobs: readonly Job[]): readonly Job[] {
  const left = new Map(jobs.map((job) => [job.name, job]))
  const sorted: Job[] = []
  while (left.size > 0) {
    const next = [...left.values()].filter((job) => !job.needs.some((need) => left.has(need)))
    if (next.length === 0) throw cycle([...left.keys()])
    for (const job of next) {
      sorted.push(job)
      left.delete(job.name)
    }
  }
  return sorted
}

function wrongStep(name: string, reason: string) {
  return fault({
    code: "JOB-STEP",
    kind: "usage",
    message: `Job "${name}" cannot be made of these steps`,
    reason,
    hint: "Each step belongs to one job; see `jobs` of the pipeline.",
  })
}

function mixed(name: string, reason: string) {
  return fault({
    code: "JOB-MIXED",
    kind: "usage",
    message: `Job "${name}" puts together what a CI system keeps apart`,
    reason,
    hint: "Leave that step out of `jobs`: it then has a job of its own.",
  })
}

function cycle(names: readonly string[]) {
  return fault({
    code: "JOB-CYCLE",
    kind: "usage",
    message: `Jobs need each other in a circle: ${names.join(", ")}`,
    reason: "A step outside of a group stands between two steps inside of it.",
    hint: "Put that step into the group as well, or split the group.",
  })
}
