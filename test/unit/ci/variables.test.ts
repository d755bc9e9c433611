import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { ciRun, factsOf, githubFacts, gitlabFacts, type CiRun, type Env } from "../../../ci/variables.js"
import { thrown } from "../core/rig.js"

const sha = "4f2a9c17d8e05b6391c3a7e2f10d54b8a96c0e3d"
const other = "1f2a9c17d8e05b6391c3a7e2f10d54b8a96c0e3d"
const zeros = "0".repeat(40)
const gitlab = {
  GITLAB_CI: "true",
  CI_PIPELINE_ID: "4711",
  CI_JOB_ID: "99",
  CI_COMMIT_SHA: sha,
  CI_PIPELINE_SOURCE: "push",
  CI_PROJECT_ID: "12",
}
const github = {
  GITHUB_ACTIONS: "true",
  GITHUB_RUN_ID: "815",
  GITHUB_SHA: sha,
  GITHUB_EVENT_NAME: "push",
  GITHUB_REF_TYPE: "branch",
  GITHUB_REF_NAME: "main",
  GITHUB_REPOSITORY: "shop/shop",
  GITHUB_SERVER_URL: "https://github.com",
}

describe("GitLab's predefined variables", () => {
  it.each<[string, Env, Partial<CiRun>]>([
    ["which run it is", {}, { host: "gitlab", run: "gitlab-4711", commit: sha }],
    [
      "a push to a branch",
      { CI_COMMIT_BRANCH: "main", CI_COMMIT_BEFORE_SHA: other },
      { branch: "main", base: other, noBase: undefined },
    ],
    ["the first push of a branch", { CI_COMMIT_BEFORE_SHA: zeros }, { base: undefined, noBase: "the branch is new" }],
    ["a push of which nothing is known before", {}, { base: undefined, noBase: "the branch is new" }],
    [
      "a merge request",
      {
        CI_PIPELINE_SOURCE: "merge_request_event",
        CI_MERGE_REQUEST_IID: "7",
        CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: "feature/x",
        CI_MERGE_REQUEST_DIFF_BASE_SHA: other,
        CI_COMMIT_BEFORE_SHA: zeros,
      },
      { branch: "feature/x", mergeRequest: "7", base: other },
    ],
    [
      "a tag",
      { CI_COMMIT_TAG: "v1", CI_COMMIT_BEFORE_SHA: other },
      { tag: "v1", base: undefined, noBase: "a tag is delivered" },
    ],
    [
      "a schedule",
      { CI_PIPELINE_SOURCE: "schedule", CI_COMMIT_BEFORE_SHA: other },
      { schedule: true, base: undefined, noBase: "the pipeline was started by schedule" },
    ],
    ["by hand", { CI_PIPELINE_SOURCE: "web", CI_COMMIT_BEFORE_SHA: other }, { base: undefined }],
    ["by the API", { CI_PIPELINE_SOURCE: "api", CI_COMMIT_BEFORE_SHA: other }, { base: undefined }],
    ["a protected branch", { CI_COMMIT_REF_PROTECTED: "true" }, { protectedRef: true }],
    ["one that is not", { CI_COMMIT_REF_PROTECTED: "false" }, { protectedRef: false }],
    ["a merge request of a fork", { CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "13" }, { fork: true }],
    ["one of the project itself", { CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "12" }, { fork: false }],
    [
      "junk that is not needed",
      {
        CI_MERGE_REQUEST_IID: "x",
        CI_JOB_URL: "javascript:alert(1)",
        CI_COMMIT_BEFORE_SHA: "-",
        CI_COMMIT_REF_NAME: "a\u001b[2Jb",
      },
      { mergeRequest: undefined, ref: undefined, base: undefined },
    ],
  ])("%s", (_, env, expected) => {
    expect(ciRun({ ...gitlab, ...env })).toMatchObject(expected)
  })
  it.each<[string, Env, string]>([
    ["no pipeline", { CI_PIPELINE_ID: "" }, "CI_PIPELINE_ID is not set"],
    ["junk for a pipeline", { CI_PIPELINE_ID: "../../x" }, 'CI_PIPELINE_ID is "../../x", not a number'],
    ["no commit", { CI_COMMIT_SHA: undefined }, "CI_COMMIT_SHA is not set"],
    ["half a commit", { CI_COMMIT_SHA: "4f2a9c17" }, "not a full commit hash"],
  ])("%s is an error that says so", async (_, env, text) => {
    const error = await thrown(() => gitlabFacts({ ...gitlab, ...env }))
    expect(error).toMatchObject({ code: "CI-VARIABLE", kind: "usage" })
    expect(error.message).toContain(text)
  })
  it("gitlab-ci-local says that it is no GitLab, and is one all the same", () => {
    expect(ciRun({ ...gitlab, GITLAB_CI: "false" })?.run).toBe("gitlab-4711")
    expect(ciRun({ CI: "true" })).toBeUndefined()
    expect(ciRun({})).toBeUndefined()
  })
})

describe("GitHub's default variables", () => {
  it.each<[string, Env, unknown, Partial<CiRun>]>([
    ["a push", {}, { before: other }, { run: "github-815", commit: sha, branch: "main", base: other }],
    ["the first push of a branch", {}, { before: zeros }, { base: undefined, noBase: "the branch is new" }],
    ["without an event", {}, undefined, { base: undefined, branch: "main" }],
    [
      "a pull request",
      { GITHUB_EVENT_NAME: "pull_request", GITHUB_HEAD_REF: "feature", GITHUB_REF_NAME: "7/merge" },
      { pull_request: { number: 7, base: { sha: other }, head: { repo: { full_name: "Shop/shop" } } } },
      { branch: "feature", mergeRequest: "7", base: other, fork: false },
    ],
    [
      "one of a fork",
      { GITHUB_EVENT_NAME: "pull_request" },
      { pull_request: { number: 7, head: { repo: { full_name: "else/shop" } } } },
      { fork: true },
    ],
    [
      "a tag",
      { GITHUB_REF_TYPE: "tag", GITHUB_REF_NAME: "v1" },
      { before: other },
      { tag: "v1", branch: undefined, base: undefined },
    ],
    ["a schedule", { GITHUB_EVENT_NAME: "schedule" }, {}, { schedule: true, base: undefined }],
    [
      "an event that is junk",
      {},
      { before: 5, pull_request: "x" },
      { base: undefined, fork: false, mergeRequest: undefined },
    ],
  ])("%s", (_, env, event, expected) => {
    expect(githubFacts({ ...github, ...env }, event)).toMatchObject(expected)
  })
  it("reads the event where it lies, and does without when it cannot", async () => {
    const dir = await mkdtemp(join(tmpdir(), "gantry-event-"))
    onTestFinished(() => rm(dir, { recursive: true }))
    const path = join(dir, "event.json")
    await writeFile(path, JSON.stringify({ before: other }))
    expect(ciRun({ ...github, GITHUB_EVENT_PATH: path })?.base).toBe(other)
    await writeFile(path, "{")
    expect(ciRun({ ...github, GITHUB_EVENT_PATH: path })?.base).toBeUndefined()
    expect(ciRun({ ...github, GITHUB_EVENT_PATH: join(dir, "none") })?.run).toBe("github-815")
  })
})

it("facts hold what conditions ask for, and where the run comes from", () => {
  const ci = gitlabFacts({
    ...gitlab,
    CI_COMMIT_BRANCH: "main",
    CI_JOB_URL: "https://gitlab.example/j/99",
    GITLAB_USER_LOGIN: "zhao",
  })
  expect(factsOf(ci, ["a"])).toMatchObject({
    branch: "main",
    changed: ["a"],
    dirty: false,
    ci: { host: "gitlab", job: "https://gitlab.example/j/99", actor: "zhao", protected: false },
  })
})

it("a fork's branch is none of this project's, whatever it is called", () => {
  const fork = { CI_MERGE_REQUEST_IID: "7", CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: "main", CI_COMMIT_BRANCH: undefined }
  const facts = (from: string) =>
    factsOf(gitlabFacts({ ...gitlab, ...fork, CI_MERGE_REQUEST_SOURCE_PROJECT_ID: from }), undefined)
  expect(facts("13").branch).toBeUndefined()
  expect(facts("12").branch).toBe("main")
})
