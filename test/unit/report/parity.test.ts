import { describe, expect, it } from "vitest"
import type { RunRecord, StepRecord } from "../../../core/record.js"
import { compareRuns } from "../../../report/parity.js"
import { renderParity } from "../../../report/parity-text.js"

const step = (id: string, more: Partial<StepRecord> = {}): StepRecord => ({
  id,
  kind: "pure",
  status: "success",
  needs: [],
  attempts: 1,
  cached: false,
  artifacts: [],
  reports: [],
  ...more,
})

const tests = (passed: number, failed: readonly string[] = [], seconds = 1): StepRecord["reports"][number] => ({
  kind: "tests",
  suite: "catalog.unit-tests",
  total: passed + failed.length,
  passed,
  failed: failed.length,
  skipped: 0,
  seconds,
  failures: failed.map((name) => ({ name, message: "red" })),
})

const finding = (id: string, blocking = false) => ({ id, severity: "HIGH", title: id, location: "lodash", blocking })
const findings = (...items: readonly ReturnType<typeof finding>[]): StepRecord["reports"][number] => ({
  kind: "findings",
  tool: "Trivy",
  basis: "database of 2026-11-20",
  counts: { HIGH: items.length },
  items: [...items],
})

const run = (id: string, steps: readonly StepRecord[], more: Partial<RunRecord> = {}): RunRecord => ({
  schema: 1,
  id,
  pipeline: "delivery",
  service: "catalog",
  services: ["catalog"],
  commit: "c0ffee",
  dirty: false,
  selection: {},
  facts: {},
  status: "success",
  startedAt: "2026-11-25T10:00:00.000Z",
  steps: [...steps],
  ...more,
})

describe("two runs did the same", () => {
  it("when only times, addresses, digests and who decided differ, and those are told", () => {
    const steps = (at: string, by: string, port: number) => [
      step("catalog.unit-tests", { startedAt: at, reports: [tests(12, [], port / 1000)] }),
      step("catalog.image", { output: { digest: `sha256:${port}`, size: port } }),
      step("catalog.deploy-test", {
        kind: "effect",
        output: { configHash: "abc", url: `http://127.0.0.1:${port}` },
        reports: [
          {
            kind: "deployment",
            environment: "test",
            service: "catalog",
            digest: "sha256:1",
            url: `http://127.0.0.1:${port}`,
            replicas: 1,
            configHash: "abc",
            unchanged: false,
          },
        ],
      }),
      step("gate", {
        kind: "gate",
        reports: [{ kind: "approval", decision: "approved", by, reason: "ok", at, evidenceHash: "e" }],
      }),
    ]
    const result = compareRuns(run("laptop", steps("1", "Lin", 8001)), run("gitlab-7", steps("2", "Wang", 8002)))
    expect(result.differences).toEqual([])
    expect(result.agreed).toBeGreaterThan(15)
    expect(result.allowed.map((d) => `${d.step}: ${d.what}`)).toEqual([
      "catalog.image: digest",
      "catalog.deploy-test: address of test catalog",
      "gate: decided by",
    ])
    const text = renderParity("laptop", "gitlab-7", result)
    expect(text).toContain("laptop and gitlab-7 did the same")
    expect(text).toContain("http://127.0.0.1:8002")
  })
})

describe("two runs differ", () => {
  const cases: readonly [string, RunRecord, RunRecord, readonly string[]][] = [
    ["in the commit", run("a", []), run("b", [], { commit: "bad" }), ["commit: c0ffee | bad"]],
    ["in the pipeline", run("a", []), run("b", [], { pipeline: "nightly" }), ["pipeline: delivery | nightly"]],
    ["in a dirty tree", run("a", []), run("b", [], { dirty: true }), ["work tree: clean | dirty"]],
    [
      "in the outcome of the run and of a step",
      run("a", [step("x")]),
      run("b", [step("x", { status: "failed" })], { status: "failed" }),
      ["outcome: success | failed", "x outcome: success | failed"],
    ],
    [
      "in a step that one lacks",
      run("a", [step("x"), step("y")]),
      run("b", [step("x")]),
      ["y step: there | undefined"],
    ],
    [
      "in the tree",
      run("a", [step("checkout", { output: { tree: "t1" } })]),
      run("b", [step("checkout", { output: { tree: "t2" } })]),
      ["checkout tree: t1 | t2"],
    ],
    [
      "in the configuration",
      run("a", [step("d", { output: { configHash: "1" } })]),
      run("b", [step("d", { output: { configHash: "2" } })]),
      ["d configHash: 1 | 2"],
    ],
    [
      "in the number of tests",
      run("a", [step("t", { reports: [tests(3)] })]),
      run("b", [step("t", { reports: [tests(2)] })]),
      ["t tests of catalog.unit-tests: 3: 3 passed, 0 failed, 0 skipped | 2: 2 passed, 0 failed, 0 skipped"],
    ],
    [
      "in which tests failed, also when as many did",
      run("a", [step("t", { reports: [tests(1, ["one"])] })]),
      run("b", [step("t", { reports: [tests(1, ["two"])] })]),
      ["t failed tests of catalog.unit-tests: only here: one | only here: two"],
    ],
    [
      "in a finding, of which only the one that the other lacks is shown",
      run("a", [step("s", { reports: [findings(finding("CVE-1"), finding("CVE-2"))] })]),
      run("b", [step("s", { reports: [findings(finding("CVE-1"))] })]),
      [
        "s findings of Trivy: only here: CVE-2 lodash | nothing that the other lacks",
        "s severities of Trivy: only here: 2 HIGH | only here: 1 HIGH",
      ],
    ],
    [
      "in a result that one does not have",
      run("a", [step("q", { reports: [{ kind: "quality-gate", status: "passed", conditions: [] }] })]),
      run("b", [step("q")]),
      ["q quality gate: passed | undefined", "q conditions: none | undefined"],
    ],
  ]
  it.each(cases)("%s", (_, a, b, expected) => {
    const { differences } = compareRuns(a, b)
    expect(differences.map((d) => `${d.step === undefined ? "" : `${d.step} `}${d.what}: ${d.a} | ${d.b}`)).toEqual(
      expected,
    )
  })

  it("lets the second analysis of a project judge what is new, which the first one cannot; not what is there", () => {
    const gate = (...metrics: string[]) => {
      const conditions = metrics.map((metric) => ({ metric, status: "passed" as const }))
      return step("q", { reports: [{ kind: "quality-gate", status: "passed", conditions }] })
    }
    const { differences, allowed } = compareRuns(
      run("a", [gate("coverage", "new_violations", "ncloc")]),
      run("b", [gate("coverage")]),
    )
    expect(differences.map((d) => d.what)).toEqual(["conditions"])
    expect(allowed).toMatchObject([
      { what: "conditions on new code", a: "only here: new_violations passed", why: expect.stringContaining("first") },
    ])
  })

  it.each<[string, RunRecord, RunRecord, string]>([
    [
      "a service that a run was not about",
      run("a", [step("order.image", { service: "order" })], { services: ["catalog", "order"] }),
      run("b", []),
      "--changed-since",
    ],
    [
      "a part of the pipeline",
      run("a", [step("x"), step("y")]),
      run("b", [step("x")], { selection: { until: "x" } }),
      "Run b covers a part",
    ],
    [
      "a reason that the record names",
      run("a", [step("review")]),
      run("b", [step("review", { status: "skipped", reason: "there is no merge request" })]),
      "second: there is no merge request",
    ],
    [
      "an error that the record names",
      run("a", [
        step("t", { status: "failed", error: { code: "TESTS-RED", kind: "failed", message: "2 tests failed" } }),
      ]),
      run("b", [step("t")]),
      "first: 2 tests failed",
    ],
    [
      "knowledge of another day",
      run("a", [step("s", { reports: [findings(finding("CVE-2"))] })]),
      run("b", [step("s", { reports: [findings()] })]),
      "database of 2026-11-20",
    ],
  ])("and it says why: %s", (_, a, b, why) => {
    const result = compareRuns(a, b)
    expect(renderParity("a", "b", result)).toContain(why)
    expect(result.differences.length).toBeGreaterThan(0)
  })
})
