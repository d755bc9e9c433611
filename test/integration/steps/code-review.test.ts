import { describe, expect, it, onTestFinished, vi } from "vitest"
import { pipeline } from "../../../core/pipeline.js"
import { step } from "../../../core/step.js"
import type { Report } from "../../../core/reports.js"
import { gitlabHost } from "../../../clients/codehost/gitlab/index.js"
import { codeReview, runCodeReview } from "../../../steps/code-review/index.js"
import { Source } from "../../../steps/outputs.js"
import type { Settings } from "../../../steps/settings.js"
import { fakeGitLab, mergeRequest, type FakeMergeRequest } from "../../fakes/gitlab.js"
import { runPipeline } from "../../unit/core/rig.js"

const commit = "c".repeat(40)

async function check(
  change: Partial<FakeMergeRequest>,
  options: { readonly number?: number; readonly base?: string } = {},
) {
  const closed = mergeRequest({ iid: 1, commits: [commit], state: "closed" })
  const gitlab = await fakeGitLab(
    { mergeRequests: [closed, mergeRequest({ commits: [commit], ...change })] },
    { base: options.base ?? "" },
  )
  const reports: Report[] = []
  const lines: string[] = []
  const log = { info: (l: string) => lines.push(l), warn: (l: string) => lines.push(l), write: () => undefined }
  const host = gitlabHost({ kind: "gitlab", url: gitlab.url, project: "heike/shop" }, { project: "glpat-right" })
  const result = runCodeReview({ log, publish: (r) => reports.push(r) }, host, { number: options.number, commit })
  return { result, reports, lines, gitlab }
}

describe("code review at GitLab", () => {
  it("passes when another person approved and every thread is resolved, at the Community Edition and under a path, too", async () => {
    const { result, reports, gitlab } = await check(
      {
        discussions: [
          { by: "zhang.min", body: "Why?", resolvable: true, resolved: true },
          { by: "bot", body: "just a remark", resolvable: false },
        ],
      },
      { base: "/gitlab" },
    )
    const url = `${gitlab.url}/heike/shop/-/merge_requests/7`
    expect(await result).toEqual({ number: 7, url, approvedBy: ["zhang.min"] })
    expect(reports).toEqual([{ kind: "link", title: "Merge request !7", url }])
    expect(new Set(gitlab.credentials)).toEqual(new Set(["private-token: glpat-right"]))
  })

  it("passes on the free tier of the Enterprise Edition, too, whose rules require none", async () => {
    const { result } = await check({ approvalsRequired: 0 })
    await expect(result).resolves.toMatchObject({ approvedBy: ["zhang.min"] })
    const none = await check({ approvalsRequired: 0, approvedBy: [] })
    await expect(none.result).rejects.toMatchObject({
      message: expect.stringContaining("1 approval is missing") as string,
    })
  })

  it("does not count the author's own approval", async () => {
    const { result } = await check({ approvedBy: ["li.wei"] })
    await expect(result).rejects.toMatchObject({
      code: "REVIEW-OPEN",
      kind: "failed",
      message: "Merge request !7 is not reviewed: 1 approval is missing",
      reason: expect.stringContaining("li.wei's own does not count") as string,
    })
  })

  it("demands as many approvals as the host's rules do", async () => {
    const { result } = await check({ approvalsRequired: 2 })
    await expect(result).rejects.toMatchObject({
      reason: expect.stringContaining("1 of 2 approvals (zhang.min)") as string,
    })
    const enough = await check({ approvalsRequired: 2, approvedBy: ["zhang.min", "wang.fang"] })
    await expect(enough.result).resolves.toMatchObject({ approvedBy: ["zhang.min", "wang.fang"] })
  })

  it("names unresolved threads, those of further pages too", async () => {
    const fine = { by: "zhang.min", body: "fine", resolvable: true, resolved: true }
    const { result } = await check({
      discussions: [
        {
          by: "zhang.min",
          body: "This leaks\nmore text",
          resolvable: true,
          resolved: false,
          path: "src/app.js",
          line: 12,
        },
        ...Array.from({ length: 105 }, () => fine),
        { by: "wang.fang", body: "And the tests?", resolvable: true },
      ],
    })
    const error = (await result.catch((e: unknown) => e)) as { message: string; reason: string }
    expect(error.message).toContain("2 threads not resolved")
    expect(error.reason).toContain("by zhang.min at src/app.js:12: This leaks")
    expect(error.reason).toContain("by wang.fang: And the tests?")
  })

  it("takes the merge request that is named, without a search by commit", async () => {
    const { result, gitlab } = await check({}, { number: 7 })
    await result
    expect(gitlab.requests.filter((path) => path.includes("commits"))).toEqual([])
  })

  it("one with conflicts is not reviewed to its end", async () => {
    const { result } = await check({ conflicts: true })
    await expect(result).rejects.toMatchObject({
      code: "REVIEW-OPEN",
      message: expect.stringContaining("it has conflicts") as string,
    })
  })

  it("says that there is none for a commit", async () => {
    const { url } = await fakeGitLab()
    const host = gitlabHost({ kind: "gitlab", url, project: "42" }, { project: "glpat-right" })
    const lines: string[] = []
    const log = { info: () => undefined, warn: (l: string) => lines.push(l), write: () => undefined }
    const result = runCodeReview({ log, publish: () => undefined }, host, { commit })
    await expect(result).resolves.toEqual({ approvedBy: [] })
    expect(lines).toEqual(["the code host knows no merge request with commit cccccccccccc"])
  })
})

it("outside of CI the run's own fact says which merge request it is", async () => {
  const gitlab = await fakeGitLab({ mergeRequests: [mergeRequest({ commits: [] })] })
  vi.stubEnv("GITLAB_TOKEN", "glpat-right")
  onTestFinished(() => void vi.unstubAllEnvs())
  const codeHost = { kind: "gitlab" as const, url: gitlab.url, project: "42" }
  const source = step("checkout", { engine: false, output: Source, run: async () => sourceOf(commit) })
  const review = codeReview({ codeHost } as Settings, { source })
  const { step: of } = await runPipeline(pipeline("reviewed", { targets: [review] }), {
    facts: { mergeRequest: "7" },
    env: { GITLAB_TOKEN: "glpat-right" },
  })
  expect(of("code-review")).toMatchObject({ status: "success", output: { number: 7, approvedBy: ["zhang.min"] } })
  expect(gitlab.requests.filter((path) => path.includes("commits"))).toEqual([])
})

const sourceOf = (of: string): Source => ({
  commit: of,
  tree: "t",
  dirty: false,
  author: { name: "Li Wei", email: "li@shop.example" },
  date: "2026-11-20T12:00:00Z",
  subject: "A change",
  changed: [],
  services: {},
})
