import { expect, it } from "vitest"
import { githubHost } from "../../../../clients/codehost/github/index.js"
import { apiUrl } from "../../../../clients/codehost/github/api.js"
import { runCodeReview } from "../../../../steps/code-review/index.js"
import { fakeGitHub, type GitHubWorld } from "../../../fakes/github.js"

const commit = "c".repeat(40)
type Pull = GitHubWorld["pulls"][number]
const pull = (of: Partial<Pull> = {}): Pull => ({
  number: 7,
  commits: [commit],
  author: "li-wei",
  state: "open",
  merged: false,
  mergeable: true,
  reviews: [{ by: "zhang-min", state: "APPROVED" }],
  threads: [],
  comments: [],
  ...of,
})

async function open(of: Partial<GitHubWorld> = {}, token = "ghs-right") {
  const github = await fakeGitHub(of)
  const at = { kind: "github" as const, url: github.url, project: "heike/shop" }
  return { github, host: githubHost(at, token, { policy: { backoff: 1, attempts: 3 } }) }
}

it("github.com has a host of its own for the API, an Enterprise Server a path", () => {
  expect(apiUrl("https://github.com")).toBe("https://api.github.com")
  expect(apiUrl("https://git.example/x")).toBe("https://git.example/x/api/v3")
})

it("reviews: the last word of each person, what the branch demands, threads of all pages", async () => {
  const resolved = { by: "zhang-min", body: "fine", resolved: true }
  const threads = [
    ...Array.from({ length: 120 }, () => resolved),
    { by: "wang", body: "Why?", resolved: false, path: "a.ts", line: 3 },
  ]
  const { host } = await open({
    required: 2,
    pulls: [
      pull({
        threads,
        mergeable: false,
        reviews: [
          { by: "zhang-min", state: "CHANGES_REQUESTED" },
          { by: "zhang-min", state: "APPROVED" },
          { by: "zhang-min", state: "COMMENTED" },
          { by: "wang", state: "APPROVED" },
          { by: "wang", state: "DISMISSED" },
          { by: "li-wei", state: "APPROVED" },
        ],
      }),
    ],
  })
  expect(await host.review({ commit })).toEqual({
    number: 7,
    url: "https://github.example/heike/shop/pull/7",
    author: "li-wei",
    required: 2,
    approvals: [{ by: "zhang-min" }, { by: "li-wei" }],
    unresolved: [{ by: "wang", text: "Why?", where: "a.ts:3" }],
    conflicts: true,
  })
  const log = { info: () => undefined, warn: () => undefined, write: () => undefined }
  await expect(runCodeReview({ log, publish: () => undefined }, host, { commit })).rejects.toMatchObject({
    code: "REVIEW-OPEN",
    message: "Merge request #7 is not reviewed: it has conflicts, 1 approval is missing, 1 thread not resolved",
  })
})

it("the authors of a change are those of its pull requests, but for one that was closed", async () => {
  const { host } = await open({
    pulls: [
      pull(),
      pull({ number: 8, author: "lin", state: "closed", merged: true }),
      pull({ number: 9, author: "no", state: "closed" }),
    ],
  })
  expect(await host.changeAuthors(commit)).toEqual(["li-wei", "lin"])
  expect(await host.changeAuthors("d".repeat(40))).toEqual([])
})

it("one comment, updated in its place", async () => {
  const { host, github } = await open({ pulls: [pull({ comments: [{ id: 1, body: "hello" }] })] })
  const url = "https://github.example/heike/shop/pull/7#issuecomment-101"
  expect(await host.comment({ number: 7, marker: "<!-- m -->", body: "<!-- m --> a" })).toEqual({ url, updated: false })
  expect(await host.comment({ number: 7, marker: "<!-- m -->", body: "<!-- m --> b" })).toEqual({ url, updated: true })
  expect(github.world.pulls[0]?.comments.map((c) => c.body)).toEqual(["hello", "<!-- m --> b"])
})

it("statuses and deployments", async () => {
  const { host, github } = await open()
  await host.setStatus({ commit, name: "gantry/checkout", state: "failed", description: "d".repeat(200) })
  expect(github.world.statuses).toEqual([
    { sha: commit, context: "gantry/checkout", state: "failure", description: "d".repeat(140) },
  ])
  const told = {
    environment: "test",
    commit,
    ref: "main",
    tag: false,
    state: "success" as const,
    url: "https://test.example",
  }
  expect(await host.recordDeployment(told)).toBe("recorded")
  expect(await host.recordDeployment(told)).toBe("known")
  expect(github.world.deployments).toEqual([{ id: 300, environment: "test", ref: commit, states: ["success"] }])
})

it("a file out of the newest artifact of a branch, whose storage sees no token", async () => {
  const path = ".gantry/ci/feedback/summary.json"
  const artifact = { name: "feedback", branch: "main", expired: false }
  const { host, github } = await open({
    artifacts: [
      { ...artifact, id: 1, files: { [path]: "old" } },
      { ...artifact, id: 2, files: { "x.txt": "x", "feedback/summary.json": '{"new":true}' } },
      { ...artifact, id: 3, branch: "other", files: {} },
      { ...artifact, id: 4, expired: true, files: {} },
    ],
  })
  expect(await host.branchFile({ branch: "main", job: "feedback", path })).toBe('{"new":true}')
  expect(await host.branchFile({ branch: "main", job: "none", path })).toBeUndefined()
  expect(github.requests).toContain("GET /storage/2?signature=1")
})

it("a rate limit of GitHub's kind is waited for; a refused token and a missing one are told", async () => {
  const { host, github } = await open({ pulls: [pull()] })
  github.mishaps.push({ path: /pulls\/7$/, status: 403, headers: { "x-ratelimit-remaining": "0" } })
  github.mishaps.push({ path: /reviews/, status: 429, headers: { "retry-after": "0" } })
  expect(await host.review({ number: 7, commit })).toMatchObject({ number: 7 })
  github.mishaps.push({ path: /pulls\/7$/, status: 403 })
  await expect(host.review({ number: 7, commit })).rejects.toMatchObject({
    code: "CODEHOST-DENIED",
    hint: expect.stringContaining("GITHUB_TOKEN") as string,
  })
  github.mishaps.push({
    path: /graphql/,
    times: 99,
    status: 200,
    headers: { "content-type": "text/html" },
    body: "<title>Sign in</title>",
  })
  await expect(host.review({ number: 7, commit })).rejects.toMatchObject({
    code: "CODEHOST-UNAVAILABLE",
    kind: "errored",
  })
  github.mishaps.splice(0)
  const wrong = githubHost(host.place, "ghs-wrong")
  await expect(wrong.review({ number: 7, commit })).rejects.toMatchObject({
    code: "CODEHOST-DENIED",
    reason: expect.stringContaining("Bad credentials") as string,
  })
  await expect(githubHost(host.place, undefined).review({ commit })).rejects.toMatchObject({ code: "CODEHOST-TOKEN" })
})
