import { expect, it } from "vitest"
import { report, verdict, type SuiteRun } from "../../../../steps/tests/verdict.js"
import type { TestCase } from "../../../../steps/tests/junit.js"

const test = (outcome: TestCase["outcome"], name = "t"): TestCase => ({ name, outcome, flaky: false, seconds: 0.5 })
const fine: SuiteRun = {
  suite: "catalog.unit-tests",
  exitCode: 0,
  output: "the last line",
  timeout: 900,
  cases: [test("passed")],
  files: ["reports/junit.xml"],
  broken: [],
  globs: ["reports/*.xml"],
  coverage: [],
  run: "20260301-100000-abcd",
}

it.each<[string, Partial<SuiteRun>, string | undefined, string | undefined]>([
  ["all is well", {}, undefined, undefined],
  ["some were skipped", { cases: [test("passed"), test("skipped")] }, undefined, undefined],
  ["a test is red", { exitCode: 1, cases: [test("failed"), test("passed")] }, "TESTS-RED", "failed"],
  ["a test is red and the command says 0", { cases: [test("failed")] }, "TESTS-RED", "failed"],
  [
    "a test is red and a report is broken",
    { exitCode: 1, cases: [test("failed")], broken: ["x"] },
    "TESTS-RED",
    "failed",
  ],
  ["the time was over", { exitCode: 124, cases: [test("failed")] }, "TESTS-TIMEOUT", "errored"],
  ["it was killed after green tests", { exitCode: 137 }, "EXEC-KILLED", "errored"],
  ["it crashed before a test", { exitCode: 139, cases: [], files: [] }, "EXEC-KILLED", "errored"],
  ["a report is broken", { broken: ["reports/junit.xml: cut"] }, "TESTS-REPORT-BROKEN", "errored"],
  ["the command is missing", { exitCode: 127, cases: [], files: [] }, "TESTS-COMMAND", "usage"],
  ["it did not compile", { exitCode: 1, cases: [], files: [] }, "TESTS-NO-REPORT", "failed"],
  [
    "the network failed",
    { exitCode: 1, cases: [], files: [], output: "npm error code EAI_AGAIN" },
    "TESTS-NETWORK",
    "errored",
  ],
  [
    "Maven could not download",
    { exitCode: 1, cases: [], files: [], output: "Could not transfer artifact x" },
    "TESTS-NETWORK",
    "errored",
  ],
  ["a threshold said no", { exitCode: 1 }, "TESTS-EXIT", "failed"],
  ["nothing reported", { cases: [], files: [] }, "TESTS-NONE", "failed"],
  ["the report is empty", { cases: [] }, "TESTS-NONE", "failed"],
  ["everything was skipped", { cases: [test("skipped"), test("skipped")] }, "TESTS-NONE", "failed"],
])("%s", (_what, change, code, kind) => {
  const problem = verdict({ ...fine, ...change })
  expect(problem?.code).toBe(code)
  expect(problem?.kind).toBe(kind)
  if (problem !== undefined) expect(problem.hint).toBeTruthy()
})

it("names the first five red tests and counts the others", () => {
  const cases = Array.from({ length: 8 }, (_, i) => ({ ...test("failed", `t${i}`), message: `m${i}\nmore` }))
  const problem = verdict({ ...fine, cases })
  expect(problem?.reason).toBe("t0: m0\nt1: m1\nt2: m2\nt3: m3\nt4: m4\n… and 3 more")
  expect(problem?.hint).toBe("gantry logs 20260301-100000-abcd catalog.unit-tests")
})

it("reports counts, time and coverage", () => {
  const cases = [
    test("passed"),
    { ...test("failed", "red"), message: "no", details: "x".repeat(9000) },
    test("skipped"),
  ]
  expect(report({ ...fine, cases, coverage: [{ lines: 4, covered: 3 }] })).toEqual({
    kind: "tests",
    suite: "catalog.unit-tests",
    total: 3,
    passed: 1,
    failed: 1,
    skipped: 1,
    seconds: 1.5,
    failures: [{ name: "red", message: "no", details: "x".repeat(8000) }],
    coverage: 75,
  })
})
