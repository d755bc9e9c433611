import { any, type Condition } from "../core/condition.js"
import { jobsOf, type Job } from "../core/jobs.js"
import type { Pipeline } from "../core/pipeline.js"
import type { Settings } from "../steps/settings.js"
import { inCi } from "./condition.js"
import { audiencesOf } from "./id-tokens.js"
import type { CiJob } from "./job.js"
import { withoutDetours } from "./needs.js"
import { stagesOf } from "./stages.js"

export interface Flow {
  readonly jobs: readonly CiJob[]
  /** Of the jobs, in the order in which they come. */
  readonly stages: readonly string[]
}

/** Minutes that a job takes besides its steps: clone, set-up, artifacts. */
const headroom = 15

/** What a CI system has to know of a pipeline. @throws JOB-…, CI-ID-TOKEN */
export function flowOf(pipeline: Pipeline, settings: Pick<Settings, "ci" | "environments">): Flow {
  const jobs = jobsOf(pipeline)
  audiencesOf(pipeline.steps)
  const { stages, stageOf } = stagesOf(jobs)
  const seen = new Map<string, Seen>()
  const made = jobs.map((job): CiJob => {
    const before = job.needs.map((name) => seen.get(name)).filter((s) => s !== undefined)
    const kind = kindOf(job)
    const gated = kind === "gate" || before.some((s) => s.gated)
    const environment = common(job, "environment")
    const service = common(job, "service")
    const services = service === undefined ? [...new Set(before.flatMap((s) => s.services))] : [service]
    const apart = before.some((s) => s.apart) || beyondMergeRequests(settings, { gated, environment })
    const touched = kind === "effect" || before.some((s) => s.touched)
    seen.set(job.name, { gated, services, apart, touched })
    return {
      name: job.name,
      steps: job.steps,
      stage: stageOf(job),
      needs: job.needs,
      kind,
      service,
      environment,
      presence: { when: whenOf(job), services: services.length === 0 ? undefined : services, mergeRequests: !apart },
      harmless: !touched && !gated,
      gated,
      allowFailure: job.steps.every((s) => s.definition.allowFailure === true),
      minutes: minutesOf(job, settings.ci.timeoutMinutes),
      publishes: new Set(job.steps.flatMap((s) => s.definition.publishes ?? [])),
      secrets: [...new Set(job.steps.flatMap((s) => s.secrets))],
      idTokens: audiencesOf(job.steps),
    }
  })
  return { jobs: withoutDetours(made), stages }
}

/** What is known of the jobs before. */
interface Seen {
  readonly gated: boolean
  /** Its own one, or those of the jobs before. */
  readonly services: readonly string[]
  /** Left out for merge requests. */
  readonly apart: boolean
  readonly touched: boolean
}

function kindOf(job: Job): CiJob["kind"] {
  const kinds = new Set(job.steps.map((s) => s.kind))
  return kinds.has("gate") ? "gate" : kinds.has("effect") ? "effect" : "pure"
}

function common(job: Job, field: "environment" | "service"): string | undefined {
  return job.steps[0]?.definition[field]
}

/** A job runs when one of its steps does: the others are skipped inside. */
function whenOf(job: Job): Condition | undefined {
  const conditions = job.steps.map((s) => s.when).filter((c) => c !== undefined)
  return conditions.length < job.steps.length ? undefined : inCi(any(...conditions))
}

/** What is not merged gets no further than a dirty work tree does, unless the configuration says otherwise. */
function beyondMergeRequests(
  { ci, environments }: Pick<Settings, "ci" | "environments">,
  job: { readonly gated: boolean; readonly environment: string | undefined },
): boolean {
  if (ci.mergeRequests === "all") return false
  if (job.gated) return true
  if (job.environment === undefined) return false
  return ci.mergeRequests === "checks" || job.environment !== Object.keys(environments)[0]
}

function minutesOf(job: Job, without: number): number {
  const minutes = job.steps.map((s) => {
    if (s.kind === "gate") return 5
    const { timeout, retry, effect } = s.definition
    const attempts = (effect?.retry ?? retry)?.attempts ?? 1
    return timeout === undefined ? without : (timeout / 60_000) * attempts
  })
  return Math.ceil(minutes.reduce((sum, m) => sum + m, headroom) / 5) * 5
}
