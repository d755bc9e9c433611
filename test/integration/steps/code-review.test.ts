import { describe, expect, it } from "vitest"
import type { Report } from "../../../core/reports.js"
import { gitlabHost, gitlabProject } from "../../../steps/code-review/gitlab.js"
import { runCodeReview } from "../../../steps/code-review/index.js"
import { closedPort } from "../../fakes/port.js"
import { fakeGitLab, type FakeReview } from "../../fakes/gitlab-review.js"

const commit = "c".repeat(40)
const project = "heike/shop"

async function check(
  change: Partial<FakeReview>,
  options: { readonly token?: string; readonly status?: number; readonly number?: number } = {},
) {
  const review: FakeReview = {
    iid: 7,
    commit,
    author: "li.wei",
    approvedBy: ["zhang.min"],
    approvalsRequired: null,
    discussions: [],
    ...change,
  }
  const gitlab = await fakeGitLab({ project, token: "glpat-right", review })
  gitlab.status = options.status
  const reports: Report[] = []
  const lines: string[] = []
  const log = { info: (l: string) => lines.push(l), warn: (l: string) => lines.push(l), write: () => undefined }
  const host = gitlabHost({ url: gitlab.url, project }, options.token ?? "glpat-right")
  const result = runCodeReview({ log, publish: (r) => reports.push(r) }, host, { number: options.number, commit })
  return { result, reports, lines, gitlab }
}

describe("code review at GitLab", () => {
  it("passes when another person approved and every thread is resolved, on the free tier too", async () => {
    const { result, reports } = await check({
      discussions: [
        { by: "zhang.min", body: "Why?", resolvable: true, resolved: true },
        { by: "bot", body: "just a remark", resolvable: false },
      ],
    })
    const url = "https://gitlab.example/heike/shop/-/merge_requests/7"
    expect(await result).toEqual({ number: 7, url, approvedBy: ["zhang.min"] })
    expect(reports).toEqual([{ kind: "link", title: "Merge request !7", url }])
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
    await expect(
      (await check({ approvalsRequired: 2, approvedBy: ["zhang.min", "wang.fang"] })).result,
    ).resolves.toMatchObject({
      approvedBy: ["zhang.min", "wang.fang"],
    })
  })

  it("names unresolved threads, those of the second page too", async () => {
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
        { by: "zhang.min", body: "fine", resolvable: true, resolved: true },
        { by: "wang.fang", body: "And the tests?", resolvable: true },
      ],
    })
    const error = (await result.catch((e: unknown) => e)) as { message: string; reason: string }
    expect(error.message).toContain("2 threads not resolved")
    expect(error.reason).toContain("by zhang.min at src/app.js:12: This leaks")
    expect(error.reason).toContain("by wang.fang: And the tests?")
  })

  it("takes the merge request that CI names, without a search by commit", async () => {
    const { result, gitlab } = await check({}, { number: 7 })
    await result
    expect(gitlab.requests.filter((path) => path.includes("commits"))).toEqual([])
  })

  it("tells a refused token from a host that does not answer", async () => {
    await expect((await check({}, { token: "glpat-old" })).result).rejects.toMatchObject({
      code: "REVIEW-DENIED",
      kind: "usage",
    })
    await expect((await check({}, { status: 500 })).result).rejects.toMatchObject({
      code: "REVIEW-HOST",
      kind: "errored",
    })
    const gone = gitlabHost({ url: `http://127.0.0.1:${await closedPort()}`, project }, "t")
    await expect(gone.review({ commit })).rejects.toMatchObject({ code: "REVIEW-HOST", kind: "errored" })
  })
})

describe("gitlabProject", () => {
  it.each([
    [
      { CI_SERVER_URL: "https://git.example/gl", CI_PROJECT_ID: "42" },
      "ssh://x/y.git",
      { url: "https://git.example/gl", project: "42" },
    ],
    [{}, "https://git.example:8443/heike/shop.git", { url: "https://git.example:8443", project: "heike/shop" }],
    [{}, "ssh://git.example:2222/heike/shop.git", { url: "https://git.example", project: "heike/shop" }],
  ])("%o and %s", (env, origin, expected) => {
    expect(gitlabProject(env, origin)).toEqual(expected)
  })

  it("says that it does not know", () => {
    expect(() => gitlabProject({}, undefined)).toThrow(
      expect.objectContaining({ code: "REVIEW-WHERE", kind: "usage" }) as Error,
    )
  })
})
