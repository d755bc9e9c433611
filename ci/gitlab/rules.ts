import type { Condition } from "../../core/condition.js"
import { inCi } from "../condition.js"
import type { Presence } from "../job.js"
import { fewer } from "../paths.js"
import type { GitlabJob, Reference, Rule } from "./model.js"

/** What rules are made of besides conditions. */
export interface RuleScope {
  /** Globs of what a service depends on. */
  inputs(service: string): readonly string[]
  /** Globs of what all services depend on; undefined: not known, so nothing is left out because of what changed. */
  readonly shared: readonly string[] | undefined
}

/** GitLab takes so many patterns in one `changes` (https://docs.gitlab.com/ci/yaml/#ruleschanges). */
export const mostPatterns = 50

/** Entry whose rules hold when something changed that all services depend on. */
export const sharedEntry = ".shared"

const mergeRequestPipeline = '$CI_PIPELINE_SOURCE == "merge_request_event"'

/**
 * When a job is part of a pipeline, as GitLab's `rules`: the first that holds decides, none means that the job is left out.
 * Each rule may hold more often than the condition, never less: `gantry job` asks the condition itself.
 * @param manual A person starts it, and the pipeline waits for that
 */
export function rulesOf(presence: Presence, scope: RuleScope, manual = false): readonly (Rule | Reference)[] {
  const then = manual ? ({ when: "manual", allow_failure: false } as const) : ({ when: "on_success" } as const)
  const terms = presence.when === undefined ? [{ ifs: [] }] : termsOf(presence.when)
  const affected = affectedPaths(presence.services, scope)
  const not: Rule[] = presence.mergeRequests ? [] : [{ if: mergeRequestPipeline, when: "never" }]
  const rules = terms.flatMap((term): (Rule | Reference)[] => {
    const condition = term.ifs.length === 0 ? {} : { if: joined(term.ifs, "&&") }
    // GitLab has no "this path and that one": the step's own paths are the narrower ones.
    const paths = term.changes ?? affected
    if (paths === undefined) return [{ ...condition, ...then }]
    if (term.changes !== undefined) return [{ ...condition, changes: gitlabGlobs(paths), ...then }]
    const own = gitlabGlobs(paths)
    const shared = gitlabGlobs(scope.shared ?? [])
    if (!manual && term.ifs.length === 0 && shared.length > 0) {
      return [{ changes: own, ...then }, { reference: [sharedEntry, "rules"] }]
    }
    return [own, ...(shared.length > 0 ? [sharedPathsReference] : [])].map((list) => ({
      ...condition,
      changes: list,
      ...then,
    }))
  })
  return [...not, ...(rules.length === 0 ? [{ when: "never" } as const] : rules)]
}

const sharedPathsReference: Reference = { reference: [sharedEntry, "paths"] }

/** `.shared`: what all services depend on, and the rule for it. */
export function sharedJob(scope: RuleScope): GitlabJob {
  return {
    paths: gitlabGlobs(scope.shared ?? []),
    rules: [{ changes: sharedPathsReference, when: "on_success" }],
  }
}

function affectedPaths(services: readonly string[] | undefined, scope: RuleScope): readonly string[] | undefined {
  if (services === undefined || scope.shared === undefined) return undefined
  return fewer(
    services.flatMap((service) => scope.inputs(service)),
    mostPatterns,
  )
}

/** One way in which a condition can hold: all of the expressions, and a change of one of the paths. */
interface Term {
  readonly ifs: readonly string[]
  readonly changes?: readonly string[]
}

/** A condition as alternatives: what GitLab's list of rules is. */
export function termsOf(condition: Condition): readonly Term[] {
  const open = inCi(condition)
  switch (open?.kind) {
    case undefined:
      return [{ ifs: [] }]
    case "branch":
      return open.names.length === 0 ? [] : [{ ifs: [joined(open.names.flatMap(branchIs), "||")] }]
    case "tag":
      return [{ ifs: ["$CI_COMMIT_TAG"] }]
    case "merge-request":
      return [{ ifs: ["$CI_MERGE_REQUEST_IID"] }]
    case "schedule":
      return [{ ifs: ['$CI_PIPELINE_SOURCE == "schedule"'] }]
    case "changes": {
      const paths = fewer(open.paths, mostPatterns)
      return open.paths.length === 0 ? [] : [paths === undefined ? { ifs: [] } : { ifs: [], changes: paths }]
    }
    case "all":
      return open.of
        .map(termsOf)
        .reduce((left, right) => left.flatMap((a) => right.map((b) => both(a, b))), [{ ifs: [] }])
    case "any":
      return open.of.flatMap(termsOf)
    case "clean":
      return [{ ifs: [] }]
    default:
      return open satisfies never
  }
}

function both(a: Term, b: Term): Term {
  const changes = a.changes ?? b.changes
  return { ifs: [...new Set([...a.ifs, ...b.ifs])], ...(changes === undefined ? {} : { changes }) }
}

/** A merge request's pipeline has no CI_COMMIT_BRANCH: its branch is the one that is to be merged. */
function branchIs(name: string): readonly string[] {
  const test = /[*?]/.test(name) ? `=~ ${branchPattern(name)}` : `== ${JSON.stringify(name)}`
  return ["$CI_COMMIT_BRANCH", "$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"].map((variable) => `${variable} ${test}`)
}

/** A glob of branches as a regular expression in GitLab's notation. */
function branchPattern(glob: string): string {
  const pattern = glob.replace(/\*\*\/|\*\*|\*|\?|[.+^${}()|[\]\\/]/g, (token) => {
    if (token === "**/") return "(.*\\/)?"
    if (token === "**") return ".*"
    if (token === "*") return "[^\\/]*"
    if (token === "?") return "[^\\/]"
    return `\\${token}`
  })
  return `/^${pattern}$/`
}

function joined(expressions: readonly string[], operator: "&&" | "||"): string {
  if (expressions.length === 1) return expressions[0] ?? ""
  // Any operator inside needs parentheses, whichever it is: what a person reads twice is written once.
  const inside = operator === "&&" ? expressions.map((e) => (e.includes(" || ") ? `(${e})` : e)) : expressions
  return inside.join(` ${operator} `)
}

/**
 * Globs as GitLab reads them: Ruby's File.fnmatch with FNM_PATHNAME, FNM_DOTMATCH and FNM_EXTGLOB, in which `**` crosses
 * folders only as a whole element before another one.
 */
export function gitlabGlobs(globs: readonly string[]): readonly string[] {
  return [...new Set(globs.map(gitlabGlob))]
}

function gitlabGlob(glob: string): string {
  const parts = glob.split("/").map((part) => part.replace(/[[\]{}\\]/g, (c) => `\\${c}`))
  // "a**b" crosses folders in Gantry: everything below the folder before it is more than that.
  const mixed = parts.findIndex((part) => part.includes("**") && part !== "**")
  const whole = mixed === -1 ? parts : [...parts.slice(0, mixed), "**"]
  return whole[whole.length - 1] === "**" ? [...whole, "*"].join("/") : whole.join("/")
}
