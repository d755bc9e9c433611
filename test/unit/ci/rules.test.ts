import { describe, expect, it } from "vitest"
import type { Presence } from "../../../ci/job.js"
import { gitlabGlobs, rulesOf, sharedJob, termsOf, type RuleScope } from "../../../ci/gitlab/rules.js"
import {
  all,
  any,
  branch,
  changes,
  clean,
  mergeRequest,
  schedule,
  tag,
  type Condition,
} from "../../../core/condition.js"

const scope: RuleScope = { inputs: (name) => [`${name}/**`], shared: ["package.json", "libs/**"] }
const presence = (more: Partial<Presence>): Presence => ({
  when: undefined,
  services: undefined,
  mergeRequests: true,
  ...more,
})
const main = '$CI_COMMIT_BRANCH == "main" || $CI_MERGE_REQUEST_SOURCE_BRANCH_NAME == "main"'

describe("conditions as GitLab's rules", () => {
  it.each<[string, Condition | undefined, readonly object[]]>([
    ["no condition", undefined, [{ when: "on_success" }]],
    ["a commit, which CI always delivers", clean(), [{ when: "on_success" }]],
    ["branch", branch("main"), [{ if: main, when: "on_success" }]],
    [
      "branches with patterns",
      branch("release/*", "v?.x"),
      [
        {
          if: [
            "$CI_COMMIT_BRANCH =~ /^release\\/[^\\/]*$/",
            "$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME =~ /^release\\/[^\\/]*$/",
            "$CI_COMMIT_BRANCH =~ /^v[^\\/]\\.x$/",
            "$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME =~ /^v[^\\/]\\.x$/",
          ].join(" || "),
          when: "on_success",
        },
      ],
    ],
    ["tag", tag(), [{ if: "$CI_COMMIT_TAG", when: "on_success" }]],
    ["merge request", mergeRequest(), [{ if: "$CI_MERGE_REQUEST_IID", when: "on_success" }]],
    ["schedule", schedule(), [{ if: '$CI_PIPELINE_SOURCE == "schedule"', when: "on_success" }]],
    ["paths", changes("docs", ["docs/**", "*.md"]), [{ changes: ["docs/**/*", "*.md"], when: "on_success" }]],
    [
      "all of them",
      all(branch("main"), schedule(), clean()),
      [{ if: `(${main}) && $CI_PIPELINE_SOURCE == "schedule"`, when: "on_success" }],
    ],
    [
      "all, with paths",
      all(tag(), changes("docs", ["docs/**"])),
      [{ if: "$CI_COMMIT_TAG", changes: ["docs/**/*"], when: "on_success" }],
    ],
    [
      "any of them",
      any(tag(), mergeRequest()),
      [
        { if: "$CI_COMMIT_TAG", when: "on_success" },
        { if: "$CI_MERGE_REQUEST_IID", when: "on_success" },
      ],
    ],
    ["any with one that always holds", any(tag(), clean()), [{ when: "on_success" }]],
    [
      "all of any",
      all(any(tag(), schedule()), any(mergeRequest(), changes("a", ["a"]))),
      [
        { if: "$CI_COMMIT_TAG && $CI_MERGE_REQUEST_IID", when: "on_success" },
        { if: "$CI_COMMIT_TAG", changes: ["a"], when: "on_success" },
        { if: '$CI_PIPELINE_SOURCE == "schedule" && $CI_MERGE_REQUEST_IID', when: "on_success" },
        { if: '$CI_PIPELINE_SOURCE == "schedule"', changes: ["a"], when: "on_success" },
      ],
    ],
    ["any of nothing, which never holds", any(), [{ when: "never" }]],
    ["all of nothing, which always holds", all(), [{ when: "on_success" }]],
    ["a branch without a name", branch(), [{ when: "never" }]],
    [
      "two lists of paths: GitLab has no `and`, the first decides",
      all(changes("a", ["a"]), changes("b", ["b"])),
      [{ changes: ["a"], when: "on_success" }],
    ],
  ])("%s", (_, when, expected) => {
    expect(rulesOf(presence({ when }), scope)).toEqual(expected)
  })

  it("a job of a service runs when the service is affected", () => {
    expect(rulesOf(presence({ services: ["catalog"] }), scope)).toEqual([
      { changes: ["catalog/**/*"], when: "on_success" },
      { reference: [".shared", "rules"] },
    ])
    expect(sharedJob(scope).paths).toEqual(["package.json", "libs/**/*"])
  })
  it("with a condition besides", () => {
    expect(rulesOf(presence({ services: ["catalog"], when: tag() }), scope)).toEqual([
      { if: "$CI_COMMIT_TAG", changes: ["catalog/**/*"], when: "on_success" },
      { if: "$CI_COMMIT_TAG", changes: { reference: [".shared", "paths"] }, when: "on_success" },
    ])
  })
  it("not for merge requests comes first, and a gate is started by a person", () => {
    expect(rulesOf(presence({ services: ["a", "b"], mergeRequests: false }), scope, true)).toEqual([
      { if: '$CI_PIPELINE_SOURCE == "merge_request_event"', when: "never" },
      { changes: ["a/**/*", "b/**/*"], when: "manual", allow_failure: false },
      { changes: { reference: [".shared", "paths"] }, when: "manual", allow_failure: false },
    ])
  })
  it("where it is not known what all services share, none is left out", () => {
    expect(rulesOf(presence({ services: ["a"] }), { ...scope, shared: undefined })).toEqual([{ when: "on_success" }])
  })
  it("more paths than GitLab takes become folders", () => {
    const services = Array.from({ length: 60 }, (_, i) => `s${i}`)
    const many: RuleScope = { inputs: (name) => [`services/${name}/**`], shared: [] }
    expect(rulesOf(presence({ services }), many)).toEqual([{ changes: ["services/**/*"], when: "on_success" }])
  })
})

describe("globs as GitLab reads them", () => {
  it.each([
    ["a/**", "a/**/*"],
    ["**", "**/*"],
    ["**/*.md", "**/*.md"],
    ["a/*.js", "a/*.js"],
    ["a/b**c/d", "a/**/*"],
    ["a/[x]{y}", "a/\\[x\\]\\{y\\}"],
  ])("%s is %s", (glob, expected) => expect(gitlabGlobs([glob])).toEqual([expected]))
  it("an alternative names each path once", () =>
    expect(termsOf(changes("x", ["a", "a"]))).toEqual([{ ifs: [], changes: ["a"] }]))
})
