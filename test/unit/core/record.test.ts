import { describe, expect, it } from "vitest"
import { pendingRecord } from "../../../core/fold.js"
import { blockedReason, isBlocked, needsAnotherRun, type StepRecord } from "../../../core/record.js"

describe("needsAnotherRun", () => {
  const base = pendingRecord({ id: "a", kind: "pure", needs: [] })

  it.each<[Partial<StepRecord>, boolean]>([
    [{ status: "success" }, false],
    [{ status: "skipped", reason: "only for a tag" }, false],
    [{ status: "skipped", reason: blockedReason("x failed") }, true],
    [{ status: "failed" }, true],
    [{ status: "errored" }, true],
    [{ status: "cancelled" }, true],
    [{ status: "waiting" }, true],
    [{ status: "running" }, true],
    [{ status: "pending" }, true],
  ])("%j: %s", (part, again) => {
    expect(needsAnotherRun({ ...base, ...part })).toBe(again)
  })

  it("isBlocked says by what", () => {
    expect(isBlocked({ ...base, status: "skipped", reason: blockedReason("x failed") })).toBe("x failed")
    expect(isBlocked({ ...base, status: "skipped", reason: "only for a tag" })).toBeUndefined()
    expect(isBlocked({ ...base, status: "success", reason: blockedReason("x failed") })).toBeUndefined()
  })
})
