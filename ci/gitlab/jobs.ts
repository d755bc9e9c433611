import type { Settings } from "../../steps/settings.js"
import { tierOf } from "../environment.js"
import type { CiJob } from "../job.js"
import { follows } from "../needs.js"
import { reportsOf } from "./artifacts.js"
import type { EnvironmentUse, GitlabJob, Need } from "./model.js"
import { rulesOf, type RuleScope } from "./rules.js"

/** Entry that all jobs of steps are made from. */
export const jobEntry = ".gantry"

/** Name of the job that takes an environment down. */
export const stopJob = (environment: string) => `stop-${environment}`

export interface JobOptions {
  readonly pipeline: string
  readonly settings: Pick<Settings, "ci" | "environments">
  readonly scope: RuleScope
  readonly byName: ReadonlyMap<string, CiJob>
}

/** A job of steps: `gantry job` does the work, everything here says when, where and with what. */
export function gitlabJob(job: CiJob, options: JobOptions): GitlabJob {
  const { pipeline, settings, scope } = options
  const environment = environmentOf(job, settings)
  const reports = reportsOf(job)
  return {
    extends: jobEntry,
    stage: job.stage,
    needs: needsOf(job, options.byName),
    rules: rulesOf(job.presence, scope, job.kind === "gate"),
    ...(environment === undefined ? {} : { environment }),
    // Two deployments to one environment, of two pipelines or of one, take turns.
    ...(job.kind === "effect" && job.environment !== undefined ? { resource_group: job.environment } : {}),
    interruptible: job.harmless,
    allow_failure: job.allowFailure,
    timeout: duration(job.minutes),
    ...(job.publishes.has("tests") ? { coverage: coveragePattern } : {}),
    ...(job.idTokens.size === 0 ? {} : { id_tokens: idTokensOf(job) }),
    script: [`${settings.ci.command} job ${job.name} --pipeline ${pipeline}`],
    ...(Object.keys(reports).length === 0 ? {} : { artifacts: { reports } }),
  }
}

const idTokensOf = ({ idTokens }: CiJob) => Object.fromEntries([...idTokens].map(([name, aud]) => [name, { aud }]))

/** "coverage 87.4 %" in the line that sums a test step up. */
const coveragePattern = "/, coverage (\\d+(?:\\.\\d+)?) ?%/"

function needsOf(job: CiJob, byName: ReadonlyMap<string, CiJob>): readonly Need[] {
  return job.needs.map((name) => {
    const needed = byName.get(name)
    // Rules may leave it out; without this GitLab then refuses the whole pipeline.
    const there = needed !== undefined && follows(needed.presence, job.presence, job.presence)
    return { job: name, artifacts: true, ...(there ? {} : { optional: true }) }
  })
}

/**
 * A deployment starts the environment, tests of it verify it, and a gate prepares it: of the uses that count as no deployment,
 * that is the one for which GitLab asks who may deploy there; since 18.0 it lets anybody play `verify` and `access`
 * (https://gitlab.com/gitlab-org/gitlab/-/issues/437142 and 437132).
 */
function environmentOf(job: CiJob, settings: JobOptions["settings"]): EnvironmentUse | undefined {
  if (job.environment === undefined) return undefined
  const name = job.environment
  const tier = { deployment_tier: tierOf(settings, name) }
  if (job.kind === "gate") return { name: settings.ci.gitlab.gateEnvironment ?? name, action: "prepare", ...tier }
  if (job.kind === "pure") return { name, action: "verify", ...tier }
  return {
    name,
    // Of the dotenv report, when the job has ended.
    url: "$GANTRY_URL",
    ...tier,
    ...(tier.deployment_tier === "production" ? {} : { on_stop: stopJob(name) }),
  }
}

/** @param minutes A whole number. "1h 30m", as GitLab reads it. */
export function duration(minutes: number): string {
  const [h, m] = [Math.floor(minutes / 60), minutes % 60]
  return [...(h > 0 ? [`${h}h`] : []), ...(m > 0 ? [`${m}m`] : [])].join(" ")
}
