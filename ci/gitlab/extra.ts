import { any } from "../../core/condition.js"
import type { Settings } from "../../steps/settings.js"
import { inCi } from "../condition.js"
import { tierOf } from "../environment.js"
import type { CiJob, Presence } from "../job.js"
import { jobEntry, stopJob } from "./jobs.js"
import type { GitlabJob, Need } from "./model.js"
import { rulesOf, type RuleScope } from "./rules.js"

/** The presence of a job that is there whenever one of these is. */
export function anyOf(jobs: readonly CiJob[]): Presence {
  const whens = jobs.map((job) => job.presence.when)
  const services = jobs.map((job) => job.presence.services)
  return {
    when: whens.includes(undefined) ? undefined : inCi(any(...whens.filter((w) => w !== undefined))),
    services: services.includes(undefined) ? undefined : [...new Set(services.flatMap((s) => s ?? []))],
    mergeRequests: jobs.some((job) => job.presence.mergeRequests),
  }
}

/** One job for each environment that is no production: `on_stop` of its deployments. Its data stay. */
export function stopJobs(
  jobs: readonly CiJob[],
  settings: Pick<Settings, "ci" | "environments">,
  scope: RuleScope,
): readonly (readonly [string, GitlabJob])[] {
  const deploying = jobs.filter((job) => job.kind === "effect" && job.environment !== undefined)
  const names = [...new Set(deploying.map((job) => job.environment ?? ""))]
  return names
    .filter((name) => tierOf(settings, name) !== "production")
    .map((name) => {
      const of = deploying.filter((job) => job.environment === name)
      const rules = rulesOf(anyOf(of), scope, true).map((rule) =>
        "when" in rule && rule.when === "manual" ? { ...rule, allow_failure: true } : rule,
      )
      return [
        stopJob(name),
        {
          stage: of[0]?.stage ?? "",
          needs: [],
          rules,
          environment: { name, action: "stop", deployment_tier: tierOf(settings, name) },
          resource_group: name,
          interruptible: false,
          allow_failure: true,
          timeout: "15m",
          script: [`${settings.ci.command} stop ${name}`],
        },
      ] as const
    })
}

/** Stages of the jobs that tell the code host; the first one comes before the gate, so that it is told who may approve. */
export const reportStages = { before: "report", after: "final-report" } as const

/**
 * The jobs that write the merge request's comment, whatever became of the others. Without `needs` they take the artifacts of all
 * jobs of earlier stages, however many there are.
 */
export function feedbackJobs(
  pipeline: string,
  jobs: readonly CiJob[],
  settings: Pick<Settings, "ci">,
  scope: RuleScope,
): readonly (readonly [string, GitlabJob])[] {
  const job = (stage: string, presence: Presence): GitlabJob => ({
    extends: jobEntry,
    stage,
    rules: rulesOf(presence, scope).map((rule) =>
      "when" in rule && rule.when === "on_success" ? { ...rule, when: "always" as const } : rule,
    ),
    interruptible: false,
    allow_failure: true,
    timeout: "15m",
    script: [`${settings.ci.command} feedback --pipeline ${pipeline}`],
    artifacts: { paths: [".gantry/ci/"] },
  })
  const gated = jobs.filter((one) => one.gated)
  return [
    ["feedback", job(reportStages.before, { when: undefined, services: undefined, mergeRequests: true })],
    ...(gated.length === 0
      ? []
      : [["feedback-final", job(reportStages.after, { ...anyOf(gated), services: undefined })] as const]),
  ]
}

/**
 * GitLab takes so many needs of one job (`ci_needs_size_limit`, 50 unless an administrator raised it): further ones come
 * through jobs that do nothing but hand on what they were given.
 */
export const mostNeeds = 50

export function bundled(name: string, job: GitlabJob, most = mostNeeds): readonly (readonly [string, GitlabJob])[] {
  const needs = job.needs ?? []
  if (needs.length <= most) return [[name, job]]
  const groups: Need[][] = []
  for (let i = 0; i < needs.length; i += most) groups.push(needs.slice(i, i + most))
  const bundles = groups.map((group, i): readonly [string, GitlabJob] => [
    `${name}.needs-${i + 1}`,
    {
      extends: jobEntry,
      stage: job.stage ?? "",
      needs: group,
      rules: (job.rules ?? []).map((rule) =>
        "when" in rule && rule.when === "manual" ? { ...rule, when: "on_success" as const } : rule,
      ),
      interruptible: false,
      allow_failure: false,
      timeout: "15m",
      before_script: [],
      script: [`echo "${name} needs ${group.length} of its ${needs.length} jobs from here"`],
    },
  ])
  const own: GitlabJob = {
    ...job,
    needs: bundles.map(([bundle]) => ({ job: bundle, artifacts: true, optional: true })),
  }
  return [...bundles.flatMap(([bundle, made]) => bundled(bundle, made, most)), ...bundled(name, own, most)]
}
