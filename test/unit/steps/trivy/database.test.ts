import { describe, expect, it } from "vitest"
import { judgeDatabase, parseMetadata, parseSubset } from "../../../../steps/trivy/database.js"
import { scanPolicy } from "../../../../steps/trivy/policy.js"

const { database } = scanPolicy.parse({})
const made = (day: string) => ({ updatedAt: new Date(`${day}T06:00:00Z`) })
const now = new Date("2026-11-23T15:00:00Z")

describe("the vulnerability database", () => {
  it.each([
    ["2026-11-23", "vulnerability database of 2026-11-23 (less than a day old)", undefined],
    ["2026-11-22", "vulnerability database of 2026-11-22 (1 day old)", undefined],
    ["2026-11-20", "vulnerability database of 2026-11-20 (3 days old)", undefined],
    ["2026-11-19", "vulnerability database of 2026-11-19 (4 days old)", /more than the 3 days/],
    ["2026-11-09", "vulnerability database of 2026-11-09 (14 days old)", /more than the 3 days/],
  ])("of %s is shown with its age", (day, basis, warning) => {
    const verdict = judgeDatabase(made(day), database, now)
    expect(verdict.basis).toBe(basis)
    if (warning === undefined) expect(verdict.warning).toBeUndefined()
    else expect(verdict.warning).toMatch(warning)
  })

  it("that is too old is no basis: errored, not passed", () => {
    expect(() => judgeDatabase(made("2026-11-08"), database, now)).toThrow(
      expect.objectContaining({ code: "TRIVY-DB-STALE", kind: "errored" }),
    )
  })

  it("that is a subset says so, however old, and may be refused", () => {
    const subset = parseSubset('{"advisories":38,"date":"2025-01-01"}\n')
    const verdict = judgeDatabase(subset, database, now)
    expect(verdict.basis).toMatch(/subset of 38 well-known advisories, last looked through on 2025-01-01; not the full/)
    expect(verdict.warning).toMatch(/knows only/)
    expect(() => judgeDatabase(subset, { ...database, subset: "refuse" }, now)).toThrow(
      expect.objectContaining({ code: "TRIVY-DB-SUBSET", kind: "errored" }),
    )
  })

  it("is read from what Trivy writes beside it", () => {
    const text =
      '{"Version":2,"NextUpdate":"2026-11-24T06:00:00Z","UpdatedAt":"2026-11-23T06:00:00.123456789Z","DownloadedAt":"2026-11-23T07:00:00Z"}'
    expect(parseMetadata(text).updatedAt.toISOString()).toBe("2026-11-23T06:00:00.123Z")
    for (const broken of ["", "{}", "<html>", '{"Version":2,"UpdatedAt":"soon"}']) {
      expect(() => parseMetadata(broken)).toThrow(expect.objectContaining({ code: "TRIVY-DB", kind: "errored" }))
    }
  })
})
