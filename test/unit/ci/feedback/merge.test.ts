import { expect, it } from "vitest"
import { imageSizes, newFindings } from "../../../../ci/feedback/compare.js"
import { mergeSummaries } from "../../../../ci/feedback/merge.js"
import { parseSummary } from "../../../../ci/feedback/read.js"
import { mergeRequestOf, targetOf } from "../../../../ci/feedback/source.js"
import { gitlabFacts } from "../../../../ci/variables.js"
import { findings, image, step, summary } from "./samples.js"

it("a step that was done again counts as it ended last, and the worst job decides", () => {
  const merged = mergeSummaries([
    summary([step("a", [], { status: "errored", finishedAt: "2026-11-25T10:01:00Z" })], {
      job: "a",
      status: "errored",
    }),
    summary([step("a", [], { finishedAt: "2026-11-25T10:05:00Z" }), step("b")], {
      job: "b",
      status: "success",
      finishedAt: "2026-11-25T10:05:00Z",
    }),
  ])
  expect(merged).toMatchObject({ job: "feedback", status: "errored", finishedAt: "2026-11-25T10:05:00Z" })
  expect(merged?.steps.map((s) => [s.id, s.status])).toEqual([["a", "success"], ["b", "success"]]) // prettier-ignore
  expect(mergeSummaries([])).toBeUndefined()
})

it("findings are new by what they are, not by where and in which version", () => {
  const moved = findings(["CVE-1"])
  if (moved.kind === "findings")
    for (const item of moved.items) Object.assign(item, { location: "lodash 4.17.16 in other" })
  const before = summary([step("catalog.trivy", [findings(["CVE-1"])])])
  const now = summary([
    step("catalog.trivy", [moved]),
    step("order.trivy", [findings(["CVE-1", "CVE-1"])], { service: "order" }),
  ])
  expect(newFindings(now, before)?.map((f) => [f.service, f.item.id])).toEqual([["order", "CVE-1"]])
  expect(newFindings(now, undefined)).toBeUndefined()
})

it("sizes of images with their change", () => {
  const now = summary([step("catalog.image", [image(12)]), step("order.image", [image(5)], { service: "order" })])
  const sizes = imageSizes(now, summary([step("catalog.image", [image(10)])]))
  expect([...sizes]).toEqual([["catalog", { size: 12, change: 2 }], ["order", { size: 5, change: undefined }]]) // prettier-ignore
})

it("a summary that is none is told, not believed", () => {
  expect(parseSummary("")).toBe("there is no summary.json")
  expect(parseSummary("{")).toMatch(/JSON/)
  expect(parseSummary('{"schema":2}')).toMatch(/schema/)
  expect(parseSummary(JSON.stringify(summary([])))).toMatchObject({ run: "gitlab-77" })
})

it("the merge request is the pipeline's own, or an open one of its branch", () => {
  const env = { CI_PIPELINE_ID: "77", CI_COMMIT_SHA: "c".repeat(40) }
  expect(mergeRequestOf(gitlabFacts(env), {})).toBeUndefined()
  expect(mergeRequestOf(gitlabFacts({ ...env, CI_MERGE_REQUEST_IID: "7" }), {})).toBe(7)
  expect(mergeRequestOf(gitlabFacts(env), { CI_OPEN_MERGE_REQUESTS: "group/shop!12,group/shop!13" })).toBe(12)
  expect(targetOf({ CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "release", CI_DEFAULT_BRANCH: "main" })).toBe("release")
  expect(targetOf({ CI_DEFAULT_BRANCH: "main" })).toBe("main")
})
