import type { RunRecord, StepRecord } from "../core/record.js"
import { describeReport, reportDetails } from "./describe.js"
import { attributes, escapeXml } from "./xml.js"
import { renderFault } from "./fault.js"
import { stepDuration } from "./timing.js"

/**
 * A run as JUnit XML for CI systems that show such files: each step is a test case, each service a suite. `failed` becomes
 * a failure and `errored` an error, as JUnit means them. The dialect is the one that GitLab and Jenkins read
 * (https://docs.gitlab.com/ci/testing/unit_test_reports, `testsuites > testsuite > testcase`).
 * @param now Instant up to which running steps are measured, milliseconds since 1970.
 */
export function renderJunit(record: RunRecord, now = Date.now()): string {
  const suites = new Map<string, StepRecord[]>()
  for (const step of record.steps) {
    const name = step.service === undefined ? record.pipeline : `${record.pipeline}.${step.service}`
    suites.set(name, [...(suites.get(name) ?? []), step])
  }
  const body = [...suites].map(([name, steps]) => suite(name, steps, record, now))
  return `<?xml version="1.0" encoding="UTF-8"?>
<testsuites${attributes({ name: record.pipeline, ...totals(record.steps, now) })}>
${body.join("\n")}
</testsuites>
`
}

function suite(name: string, steps: readonly StepRecord[], record: RunRecord, now: number): string {
  const head = attributes({ name, ...totals(steps, now), timestamp: record.startedAt.slice(0, 19) })
  return `  <testsuite${head}>\n${steps.map((step) => testCase(step, name, now)).join("\n")}\n  </testsuite>`
}

function totals(steps: readonly StepRecord[], now: number) {
  const count = (...statuses: readonly StepRecord["status"][]) =>
    String(steps.filter((step) => statuses.includes(step.status)).length)
  return {
    tests: String(steps.length),
    failures: count("failed"),
    errors: count("errored"),
    skipped: count("skipped", "cancelled", "waiting", "pending", "running"),
    time: seconds(steps.reduce((sum, step) => sum + (stepDuration(step, now) ?? 0), 0)),
  }
}

function testCase(step: StepRecord, suiteName: string, now: number): string {
  const head = attributes({ classname: suiteName, name: step.id, time: seconds(stepDuration(step, now) ?? 0) })
  const content = [...verdict(step), ...output(step)]
  return content.length === 0
    ? `    <testcase${head}/>`
    : `    <testcase${head}>\n${content.join("\n")}\n    </testcase>`
}

function verdict(step: StepRecord): string[] {
  const message = step.error === undefined ? (step.reason ?? step.status) : `${step.error.code}: ${step.error.message}`
  switch (step.status) {
    case "failed":
    case "errored": {
      const tag = step.status === "failed" ? "failure" : "error"
      const head = attributes({ message, type: step.error?.code ?? step.status })
      return [
        `      <${tag}${head}>${escapeXml(step.error === undefined ? message : renderFault(step.error))}</${tag}>`,
      ]
    }
    case "skipped":
    case "cancelled":
    case "waiting":
    case "pending":
    case "running":
      return [`      <skipped${attributes({ message })}/>`]
    case "success":
      return []
    default:
      return step.status satisfies never
  }
}

function output(step: StepRecord): string[] {
  const lines = [
    ...(step.cached ? ["cached"] : []),
    ...step.reports.flatMap((r) => [describeReport(r), ...reportDetails(r, 20).map((l) => `  ${l}`)]),
  ]
  return lines.length === 0 ? [] : [`      <system-out>${escapeXml(lines.join("\n"))}</system-out>`]
}

const seconds = (ms: number) => (ms / 1000).toFixed(3)
