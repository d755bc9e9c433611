import { readFileSync } from "node:fs"
import type { Facts } from "../core/condition.js"
import { fault } from "../core/errors.js"

export type Env = Readonly<Record<string, string | undefined>>

/** What a CI system's predefined variables say about the job that this process is. */
export interface CiRun {
  readonly host: "gitlab" | "github"
  /** Id of the run that all jobs of this pipeline share, e.g. "gitlab-1234". */
  readonly run: string
  readonly commit: string
  readonly branch: string | undefined
  readonly tag: string | undefined
  /** Merge or pull request number. */
  readonly mergeRequest: string | undefined
  readonly schedule: boolean
  /** Commit that the changed files are counted from; undefined: everything counts as changed, `noBase` says why. */
  readonly base: string | undefined
  readonly noBase: string | undefined
  /** Branch or tag as the host calls it. */
  readonly ref: string | undefined
  /** The host hands protected variables to this job. */
  readonly protectedRef: boolean
  /** The code is a fork's. */
  readonly fork: boolean
  readonly server: string | undefined
  readonly project: { readonly id: string | undefined; readonly path: string | undefined }
  readonly pipeline: { readonly id: string; readonly url: string | undefined; readonly source: string | undefined }
  readonly job: { readonly id: string | undefined; readonly name: string | undefined; readonly url: string | undefined }
  /** User name of whoever started the job. */
  readonly actor: string | undefined
}

/** The CI job that this process is; undefined outside of GitLab CI and GitHub Actions. @throws CI-VARIABLE */
export function ciRun(env: Env): CiRun | undefined {
  // Not by GITLAB_CI alone: gitlab-ci-local, which runs the same file on a laptop, sets that to "false".
  if (is(env, "GITLAB_CI") || (given(env, "CI_PIPELINE_ID") && given(env, "CI_JOB_ID"))) return gitlabFacts(env)
  if (is(env, "GITHUB_ACTIONS")) return githubFacts(env, readEvent(env["GITHUB_EVENT_PATH"]))
  return undefined
}

/**
 * GitLab's predefined variables (https://docs.gitlab.com/ci/variables/predefined_variables/). What is not needed to know
 * which run this is may be missing or junk; then it counts as not there.
 * @throws CI-VARIABLE
 */
export function gitlabFacts(env: Env): CiRun {
  const pipeline = needed(env, "CI_PIPELINE_ID", number, "a number")
  const source = optional(env, "CI_PIPELINE_SOURCE", word)
  const tag = optional(env, "CI_COMMIT_TAG", text)
  const project = optional(env, "CI_PROJECT_ID", number)
  const from = optional(env, "CI_MERGE_REQUEST_SOURCE_PROJECT_ID", number)
  const before = optional(env, "CI_COMMIT_BEFORE_SHA", hash)
  const mergeBase = optional(env, "CI_MERGE_REQUEST_DIFF_BASE_SHA", hash)
  const changed = tag !== undefined ? { noBase: "a tag is delivered" } : gitlabBase(source, before, mergeBase)
  return {
    host: "gitlab",
    run: `gitlab-${pipeline}`,
    commit: needed(env, "CI_COMMIT_SHA", hash, "a full commit hash"),
    branch: optional(env, "CI_COMMIT_BRANCH", text) ?? optional(env, "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME", text),
    tag,
    mergeRequest: optional(env, "CI_MERGE_REQUEST_IID", number),
    schedule: source === "schedule",
    base: undefined,
    noBase: undefined,
    ...changed,
    ref: optional(env, "CI_COMMIT_REF_NAME", text),
    protectedRef: is(env, "CI_COMMIT_REF_PROTECTED"),
    fork: from !== undefined && project !== undefined && from !== project,
    server: optional(env, "CI_SERVER_URL", url),
    project: { id: project, path: optional(env, "CI_PROJECT_PATH", text) },
    pipeline: { id: pipeline, url: optional(env, "CI_PIPELINE_URL", url), source },
    job: {
      id: optional(env, "CI_JOB_ID", number),
      name: optional(env, "CI_JOB_NAME", text),
      url: optional(env, "CI_JOB_URL", url),
    },
    actor: optional(env, "GITLAB_USER_LOGIN", text),
  }
}

function gitlabBase(source: string | undefined, before: string | undefined, mergeBase: string | undefined) {
  if (mergeBase !== undefined) return { base: mergeBase }
  if (source !== "push") return { noBase: `the pipeline was started by ${source ?? "nobody knows what"}` }
  // In the first pipeline of a branch, and in all of merge requests, it is 40 zeros.
  if (before === undefined || /^0+$/.test(before)) return { noBase: "the branch is new" }
  return { base: before }
}

/**
 * GitHub's default variables (https://docs.github.com/actions/reference/workflows-and-actions/variables) and the event that
 * started the workflow, which knows the pull request and the commit before.
 * @throws CI-VARIABLE
 */
export function githubFacts(env: Env, event?: unknown): CiRun {
  const id = needed(env, "GITHUB_RUN_ID", number, "a number")
  const repository = optional(env, "GITHUB_REPOSITORY", text)
  const server = optional(env, "GITHUB_SERVER_URL", url)
  const source = optional(env, "GITHUB_EVENT_NAME", word)
  const ref = optional(env, "GITHUB_REF_NAME", text)
  const type = env["GITHUB_REF_TYPE"]
  const request = member(event, "pull_request")
  const head = member(member(member(request, "head"), "repo"), "full_name")
  const changed = githubBase(type, source, member(member(request, "base"), "sha"), member(event, "before"))
  const page =
    server === undefined || repository === undefined ? undefined : `${server}/${repository}/actions/runs/${id}`
  const issue = member(request, "number")
  return {
    host: "github",
    run: `github-${id}`,
    commit: needed(env, "GITHUB_SHA", hash, "a full commit hash"),
    branch: optional(env, "GITHUB_HEAD_REF", text) ?? (type === "branch" && request === undefined ? ref : undefined),
    tag: type === "tag" ? ref : undefined,
    mergeRequest: typeof issue === "number" ? String(issue) : undefined,
    schedule: source === "schedule",
    base: undefined,
    noBase: undefined,
    ...changed,
    ref,
    protectedRef: is(env, "GITHUB_REF_PROTECTED"),
    fork: typeof head === "string" && repository !== undefined && head.toLowerCase() !== repository.toLowerCase(),
    server,
    project: { id: optional(env, "GITHUB_REPOSITORY_ID", number), path: repository },
    pipeline: { id, url: page, source },
    // The job's number is not among the variables; its name is that of the workflow file.
    job: { id: undefined, name: optional(env, "GITHUB_JOB", text), url: page },
    actor: optional(env, "GITHUB_ACTOR", text),
  }
}

function githubBase(type: string | undefined, source: string | undefined, base: unknown, before: unknown) {
  if (type === "tag") return { noBase: "a tag is delivered" }
  const pull = sha(base)
  if (pull !== undefined) return { base: pull }
  if (source !== "push") return { noBase: `the workflow was started by ${source ?? "nobody knows what"}` }
  const pushed = sha(before)
  return pushed === undefined || /^0+$/.test(pushed) ? { noBase: "the branch is new" } : { base: pushed }
}

/** What conditions are asked about, and where the run comes from. @param changed undefined: not known, everything counts */
export function factsOf(ci: CiRun, changed: readonly string[] | undefined): Facts {
  return {
    // Of a fork anybody chooses the name: it must not pass for a branch of this project.
    branch: ci.fork ? undefined : ci.branch,
    tag: ci.tag,
    mergeRequest: ci.mergeRequest,
    schedule: ci.schedule,
    dirty: false,
    changed,
    ci: {
      host: ci.host,
      project: ci.project.path,
      pipeline: ci.pipeline.url,
      job: ci.job.url,
      source: ci.pipeline.source,
      ref: ci.ref,
      protected: ci.protectedRef,
      fork: ci.fork,
      actor: ci.actor,
    },
  }
}

type Check = (value: string) => boolean
const number: Check = (value) => /^\d{1,20}$/.test(value)
const hash: Check = (value) => sha(value) !== undefined
const word: Check = (value) => /^[\w-]{1,60}$/.test(value)
/** One line: these end up in logs, links and headers. */
const text: Check = (value) => value.length <= 1000 && /^\P{Cc}+$/u.test(value)
const url: Check = (value) => /^https?:\/\/\S+$/.test(value) && value.length <= 2000

const is = (env: Env, name: string) => env[name] === "true"
const given = (env: Env, name: string) => (env[name] ?? "") !== ""
const sha = (value: unknown) =>
  typeof value === "string" && /^([0-9a-f]{40}|[0-9a-f]{64})$/.test(value) ? value : undefined

function optional(env: Env, name: string, check: Check): string | undefined {
  const value = env[name]
  return value !== undefined && check(value) ? value : undefined
}

function needed(env: Env, name: string, check: Check, what: string): string {
  const value = env[name] ?? ""
  if (check(value)) return value
  throw fault({
    code: "CI-VARIABLE",
    kind: "usage",
    message: value === "" ? `${name} is not set` : `${name} is ${JSON.stringify(value.slice(0, 80))}, not ${what}`,
    reason: "The CI system sets it for each job; which run this is cannot be known without it.",
    hint: "Remove whatever sets or clears it (variables of the project, of the job, `env -i`). Outside of CI: gantry run.",
  })
}

/** The event that started a GitHub workflow. One that cannot be read tells nothing; then everything counts as changed. */
function readEvent(path: string | undefined): unknown {
  if (path === undefined || path === "") return undefined
  try {
    return JSON.parse(readFileSync(path, "utf8"))
  } catch {
    return undefined
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined
}
