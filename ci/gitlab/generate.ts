import type { Pipeline } from "../../core/pipeline.js"
import type { Settings } from "../../steps/settings.js"
import { inputsOf } from "../affected.js"
import { flowOf, type Flow } from "../flow.js"
import { withHeader, type GeneratedFile } from "../generated.js"
import { checkNames } from "../names.js"
import { fewer, sharedPaths } from "../paths.js"
import { imageArchives, jobPaths } from "./artifacts.js"
import { bundled, feedbackJobs, mostNeeds, reportStages, stopJobs } from "./extra.js"
import { gitlabJob, jobEntry } from "./jobs.js"
import type { GitlabDefaults, GitlabFile, GitlabJob } from "./model.js"
import { mostPatterns, sharedEntry, sharedJob, type RuleScope } from "./rules.js"
import { split } from "./split.js"
import { workflowOf } from "./workflow.js"

export interface GenerateOptions {
  /**
   * Files under version control, relative to the project, which is the repository's root; undefined: not known, and no job is
   * left out because of what changed.
   */
  readonly files: readonly string[] | undefined
  /** Needs that a job may have. Default: GitLab's own limit. */
  readonly mostNeeds?: number
  /** Size above which services get files of their own. Bytes. */
  readonly mostBytes?: number
}

/** The files that make GitLab CI run a pipeline: .gitlab-ci.yml, and further ones where that would be too large. @throws JOB-…, GENERATE-NAME */
export function generateGitlab(
  pipeline: Pipeline,
  settings: Settings,
  options: GenerateOptions,
): readonly GeneratedFile[] {
  const flow = flowOf(pipeline, settings)
  const model = gitlabModel(pipeline.name, flow, settings, options)
  const command = `gantry generate gitlab${pipeline.name === "delivery" ? "" : ` --pipeline ${pipeline.name}`}`
  return split(model, flow, options.mostBytes).map(({ path, yaml }) => ({
    path,
    text: withHeader(command, yaml),
  }))
}

/** The whole as one file, however large. */
export function gitlabModel(pipeline: string, flow: Flow, settings: Settings, options: GenerateOptions): GitlabFile {
  const { jobs } = flow
  const scope = scopeOf(settings, options.files)
  const byName = new Map(jobs.map((job) => [job.name, job]))
  const extra = [...stopJobs(jobs, settings, scope), ...feedbackJobs(pipeline, jobs, settings, scope)]
  checkNames(
    jobs,
    extra.map(([name]) => name),
  )
  const made = jobs.flatMap((job) =>
    bundled(job.name, gitlabJob(job, { pipeline, settings, scope, byName }), options.mostNeeds ?? mostNeeds),
  )
  return {
    workflow: workflowOf(pipeline, flow),
    default: defaultsOf(settings),
    variables: variablesOf(settings),
    stages: stagesOf(flow),
    jobs: sharedTemplates(
      {
        [jobEntry]: entry(settings),
        ...(scope.shared?.length ? { [sharedEntry]: sharedJob(scope) } : {}),
      },
      [...made, ...extra],
    ),
  }
}

function scopeOf(settings: Settings, files: readonly string[] | undefined): RuleScope {
  const byName = new Map(settings.services.map((service) => [service.name, service]))
  return {
    inputs: (name) => {
      const service = byName.get(name)
      return service === undefined ? ["**"] : inputsOf(settings, service)
    },
    shared: files === undefined ? undefined : fewer(sharedPaths(settings, files), mostPatterns),
  }
}

/** The reports come before the first stage behind a gate, and after the last one. */
function stagesOf({ jobs, stages }: Flow): readonly string[] {
  const first = stages.findIndex((stage) => jobs.some((job) => job.stage === stage && job.gated))
  return first === -1
    ? [...stages, reportStages.before]
    : [...stages.slice(0, first), reportStages.before, ...stages.slice(first), reportStages.after]
}

function defaultsOf({ ci }: Settings): GitlabDefaults {
  return {
    image: ci.gitlab.image,
    ...(ci.gitlab.tags.length === 0 ? {} : { tags: ci.gitlab.tags }),
    before_script: ci.setup,
    retry: {
      max: 2,
      // Errored: infrastructure. A red test ends with 1, and is not run again until it is green.
      exit_codes: [3],
      when: [
        "runner_system_failure",
        "stuck_or_timeout_failure",
        "scheduler_failure",
        "api_failure",
        "unknown_failure",
      ],
    },
    cache: { key: { files: ci.cache.key }, paths: ci.cache.paths, policy: "pull-push" },
  }
}

function variablesOf({ ci }: Settings): Readonly<Record<string, string>> {
  return {
    // The whole history: changed files are counted from it, and SonarQube shows who wrote a line.
    GIT_DEPTH: "0",
    ...(ci.cache.paths.some((path) => /^\.npm\/?$/.test(path)) ? { NPM_CONFIG_CACHE: "$CI_PROJECT_DIR/.npm" } : {}),
    ...ci.gitlab.variables,
  }
}

function entry({ ci }: Settings): GitlabJob {
  return { artifacts: { when: "always", expire_in: ci.gitlab.expireIn, paths: jobPaths, exclude: [imageArchives] } }
}

/** Rules that several jobs share are written once. */
function sharedTemplates(
  templates: Readonly<Record<string, GitlabJob>>,
  jobs: readonly (readonly [string, GitlabJob])[],
): Readonly<Record<string, GitlabJob>> {
  const keys = jobs.map(([, { rules }]) => JSON.stringify(rules) as string | undefined)
  const users = new Map<string | undefined, number>()
  for (const key of keys) users.set(key, (users.get(key) ?? 0) + 1)
  const names = new Map<string | undefined, string>()
  const entries: Record<string, GitlabJob> = { ...templates }
  jobs.forEach(([name, { rules }], i) => {
    const key = keys[i]
    if (rules === undefined || key === undefined || key.length < 120) return
    if ((users.get(key) ?? 0) < 2 || names.has(key)) return
    let base = `.when-${name.split(".")[0]}`
    for (let n = 2; base in entries; n++) base = `.when-${name.split(".")[0]}-${n}`
    names.set(key, base)
    entries[base] = { rules }
  })
  jobs.forEach(([name, job], i) => {
    const template = names.get(keys[i])
    if (template === undefined) entries[name] = job
    else {
      const { rules: _, extends: own, ...rest } = job
      entries[name] = { extends: own === undefined ? template : [own, template].flat(), ...rest }
    }
  })
  return entries
}
