import { fault, type Fault } from "../../core/errors.js"
import type { TestReport } from "../../core/reports.js"
import { killedFault, lastLines } from "../container.js"
import { percent, type Coverage } from "./coverage.js"
import type { TestCase } from "./junit.js"

export interface SuiteRun {
  /** `<service>.<step>` */
  readonly suite: string
  readonly exitCode: number
  readonly output: string
  /** Seconds that the suite may take. */
  readonly timeout: number
  readonly cases: readonly TestCase[]
  /** JUnit files that were found, and those of them that cannot be read, with the reason. */
  readonly files: readonly string[]
  readonly broken: readonly string[]
  /** Where JUnit files were looked for. */
  readonly globs: readonly string[]
  readonly coverage: readonly Coverage[]
  readonly run: string
}

export function report(run: Pick<SuiteRun, "suite" | "cases" | "coverage">): TestReport {
  const { cases } = run
  const count = (outcome: TestCase["outcome"]) => cases.filter((c) => c.outcome === outcome).length
  const coverage = percent(run.coverage)
  return {
    kind: "tests",
    suite: run.suite,
    total: cases.length,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    seconds: Math.round(cases.reduce((sum, c) => sum + c.seconds, 0) * 1000) / 1000,
    failures: cases
      .filter((c) => c.outcome === "failed")
      .map((c) => ({
        name: c.name,
        message: c.message ?? "failed",
        ...(c.details === undefined ? {} : { details: c.details.slice(0, 8000) }),
      })),
    ...(coverage === undefined ? {} : { coverage }),
  }
}

/** What network trouble looks like in the words of npm, Maven, pip, Go, apt and curl. */
const trouble =
  /\b(ECONNRESET|ETIMEDOUT|EAI_AGAIN|ENOTFOUND|ECONNREFUSED registry|ERR_SOCKET_TIMEOUT)\b|Could not transfer artifact|Temporary failure in name resolution|TLS handshake timeout|Could not resolve host|503 Service Unavailable|429 Too Many Requests/

/** Undefined when the suite passed. A suite that reports nothing cannot pass, whatever its exit code is. */
export function verdict(run: SuiteRun): Fault | undefined {
  const { suite, exitCode, output, cases } = run
  const red = cases.filter((c) => c.outcome === "failed")
  const hint = `gantry logs ${run.run} ${suite}`
  if (exitCode === 124) {
    return fault({
      code: "TESTS-TIMEOUT",
      kind: "errored",
      message: `${suite} took longer than ${run.timeout} s`,
      reason: lastLines(output),
      hint: "The last lines say where it stood. If it only needs longer, raise `timeout` of the suite in gantry.service.yaml.",
    })
  }
  if (red.length > 0) {
    const shown = red.slice(0, 5).map((c) => `${c.name}: ${(c.message ?? "failed").split("\n")[0] ?? ""}`)
    return fault({
      code: "TESTS-RED",
      kind: "failed",
      message: `${red.length} of ${cases.length} tests failed in ${suite}`,
      reason: [...shown, ...(red.length > shown.length ? [`… and ${red.length - shown.length} more`] : [])].join("\n"),
      hint,
    })
  }
  const killed = killedFault(suite, exitCode, output)
  if (killed !== undefined) return killed
  if (run.broken.length > 0) {
    return fault({
      code: "TESTS-REPORT-BROKEN",
      kind: "errored",
      message: `A test report of ${suite} cannot be read`,
      reason: run.broken.join("\n"),
      hint: "It was mostly cut off when its writer was killed. " + hint,
    })
  }
  if (exitCode === 126 || exitCode === 127) {
    return fault({
      code: "TESTS-COMMAND",
      kind: "usage",
      message: `The command of ${suite} could not be started (exit code ${exitCode})`,
      reason: lastLines(output),
      hint: "Check `toolchain.image`, `setup` and the suite's `run` in gantry.service.yaml.",
    })
  }
  if (exitCode !== 0 && cases.length === 0) {
    const network = trouble.exec(output)?.[0]
    return fault({
      code: network === undefined ? "TESTS-NO-REPORT" : "TESTS-NETWORK",
      kind: network === undefined ? "failed" : "errored",
      message: `${suite} ended with exit code ${exitCode} before any test reported${network === undefined ? "" : ` (${network})`}`,
      reason: lastLines(output),
      hint,
    })
  }
  if (exitCode !== 0) {
    return fault({
      code: "TESTS-EXIT",
      kind: "failed",
      message: `All ${cases.length} tests of ${suite} passed, but its command ended with exit code ${exitCode}`,
      reason: lastLines(output),
      hint: `Something beside the tests said no, e.g. a coverage threshold. ${hint}`,
    })
  }
  if (cases.some((c) => c.outcome === "passed")) return undefined
  const reason =
    run.files.length === 0
      ? `No file matches ${run.globs.join(", ")}.`
      : cases.length === 0
        ? `${run.files.join(", ")} hold no test.`
        : `All ${cases.length} tests were skipped.`
  return fault({
    code: "TESTS-NONE",
    kind: "failed",
    message: `${suite} ran no test`,
    reason: `${reason} A suite that tests nothing cannot pass.`,
    hint: "Check the suite's `run` and `junit` in gantry.service.yaml; a service without such tests leaves the suite out.",
  })
}
