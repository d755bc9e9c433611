import { describe, expect, it } from "vitest"
import { evaluate, scanPolicy, type Finding } from "../../../../steps/trivy/policy.js"
import type { Exception } from "../../../../steps/trivy/exceptions.js"

const now = new Date("2026-11-23T15:00:00Z")
const policy = scanPolicy.parse({})
const lodash: Finding = {
  class: "vulnerability",
  id: "CVE-2021-23337",
  aliases: ["GHSA-35jh-r3h4-6jhm"],
  severity: "HIGH",
  title: "Command injection",
  location: "lodash 4.17.15 in app/package.json",
  package: "lodash",
  fixed: "4.17.21",
}
const { fixed: _fixed, ...unfixed } = lodash
const accepted = (more: Partial<Exception> = {}): Exception => ({
  id: "CVE-2021-23337",
  owner: "li.wei",
  reason: "template() is never called",
  expires: "2027-06-30",
  ...more,
})

describe("the scan policy", () => {
  it.each<[string, Finding, Exception[], boolean, RegExp | undefined]>([
    ["a high one with a fix blocks", lodash, [], true, undefined],
    ["a medium one does not", { ...lodash, severity: "MEDIUM" }, [], false, undefined],
    ["one without a fix does not", unfixed, [], false, /no fixed version/],
    [
      "a secret blocks, though nothing fixes a secret",
      { ...unfixed, class: "secret", id: "aws-key" },
      [],
      true,
      undefined,
    ],
    ["an exception excuses", lodash, [accepted()], false, /accepted by li.wei until 2027-06-30: template/],
    [
      "an exception by another name of it excuses",
      lodash,
      [accepted({ id: "GHSA-35jh-r3h4-6jhm" })],
      false,
      /accepted/,
    ],
    ["an exception for another package does not", lodash, [accepted({ package: "lodash-es" })], true, undefined],
    ["an exception for another service does not", lodash, [accepted({ service: "order" })], true, undefined],
    ["an exception for this service does", lodash, [accepted({ service: "catalog" })], false, /accepted/],
    ["an exception holds on its last day", lodash, [accepted({ expires: "2026-11-23" })], false, /accepted/],
    [
      "an expired exception blocks and says so",
      lodash,
      [accepted({ expires: "2026-11-22" })],
      true,
      /expired on 2026-11-22/,
    ],
    [
      "a valid one beside an expired one excuses",
      lodash,
      [accepted({ expires: "2026-01-01" }), accepted()],
      false,
      /accepted/,
    ],
  ])("%s", (_name, finding, exceptions, blocking, note) => {
    const verdict = evaluate([finding], exceptions, policy, "catalog", now)
    expect(verdict.findings[0]?.blocking).toBe(blocking)
    expect(verdict.blocking).toHaveLength(blocking ? 1 : 0)
    if (note === undefined) expect(verdict.findings[0]?.note).toBeUndefined()
    else expect(verdict.findings[0]?.note).toMatch(note)
  })

  it("warns about exceptions that end soon, have ended, or excuse nothing", () => {
    const warnings = (exception: Exception, findings: Finding[] = [lodash]) =>
      evaluate(findings, [exception], policy, "catalog", now).warnings
    expect(warnings(accepted())).toEqual([])
    expect(warnings(accepted({ expires: "2026-12-07" }))).toEqual([
      expect.stringMatching(/expires in 14 days, on 2026-12-07/),
    ])
    expect(warnings(accepted({ expires: "2026-12-08" }))).toEqual([])
    expect(warnings(accepted({ expires: "2026-11-23" }))).toEqual([expect.stringMatching(/expires today/)])
    expect(warnings(accepted({ expires: "2026-11-22" }))).toEqual([expect.stringMatching(/expired on 2026-11-22/)])
    expect(warnings(accepted(), [])).toEqual([expect.stringMatching(/matches nothing/)])
    expect(warnings(accepted({ service: "order" }))).toEqual([])
  })

  it("shows the worst first and counts every severity", () => {
    const low = { ...lodash, id: "CVE-1", severity: "LOW" as const }
    const critical = { ...lodash, id: "CVE-9", severity: "CRITICAL" as const }
    const excused = { ...lodash, id: "CVE-0" }
    const verdict = evaluate([low, excused, lodash, critical], [accepted({ id: "CVE-0" })], policy, "catalog", now)
    expect(verdict.findings.map((f) => f.id)).toEqual(["CVE-9", "CVE-2021-23337", "CVE-0", "CVE-1"])
    expect(verdict.counts).toEqual({ CRITICAL: 1, HIGH: 2, MEDIUM: 0, LOW: 1, UNKNOWN: 0 })
    expect(verdict.excused).toBe(1)
  })

  it("blocks what it is told to: also unfixed ones, also nothing", () => {
    const strict = scanPolicy.parse({ ignoreUnfixed: false })
    expect(evaluate([unfixed], [], strict, "catalog", now).blocking).toHaveLength(1)
    const lenient = scanPolicy.parse({ block: [] })
    expect(evaluate([lodash], [], lenient, "catalog", now).blocking).toHaveLength(0)
  })

  it.each([
    "docker.io/aquasec/trivy:0.69.4",
    "harbor.example/aquasec/trivy:0.69.5",
    "aquasec/trivy:v0.69.6",
    "aquasec/trivy:0.69.6-amd64",
  ])("refuses the malicious %s", (image) => {
    expect(scanPolicy.safeParse({ image }).error?.issues[0]?.message).toMatch(/malicious/)
  })
  it.each(["docker.io/aquasec/trivy:0.69.3", "docker.io/aquasec/trivy:0.69.7", "docker.io/aquasec/trivy:0.74.0"])(
    "takes %s",
    (image) => {
      expect(scanPolicy.parse({ image }).image).toBe(image)
    },
  )
})
