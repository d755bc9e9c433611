import { describe, expect, it } from "vitest"
import { Report } from "../../../core/reports.js"

describe("Report", () => {
  it.each([
    {
      kind: "tests",
      suite: "s",
      total: 1,
      passed: 0,
      failed: 1,
      skipped: 0,
      seconds: 0.1,
      failures: [{ name: "n", message: "m" }],
    },
    { kind: "findings", tool: "trivy", counts: { HIGH: 1 }, items: [] },
    { kind: "quality-gate", status: "none", conditions: [] },
    { kind: "image", reference: "r", digest: "sha256:0" },
    { kind: "link", title: "t", url: "u" },
  ])("takes $kind", (report) => {
    expect(Report.parse(report)).toEqual(report)
  })

  it.each([{}, { kind: "poem" }, { kind: "image" }, { kind: "quality-gate", status: "maybe", conditions: [] }])(
    "refuses %j",
    (report) => {
      expect(Report.safeParse(report).success).toBe(false)
    },
  )
})
