import type { GateCondition, GateStatus, WantedCondition } from "../../clients/sonarqube/index.js"
import { fault } from "../../core/errors.js"
import type { QualityGateReport } from "../../core/reports.js"

/**
 * The quality gate that Gantry keeps on the stack's own server; servers of one's own are left as they are. SonarQube's
 * default looks at new code only, so a project's first analysis always passes it; this one looks at the whole as well.
 * Security hotspots on new code, which the default wants reviewed, are left out: on this server nobody reviews them.
 */
export const ownGate: { readonly name: string; readonly conditions: readonly WantedCondition[] } = {
  name: "Gantry",
  conditions: [
    { metric: "new_violations", op: "GT", error: "0" },
    { metric: "new_coverage", op: "LT", error: "80" },
    { metric: "new_duplicated_lines_density", op: "GT", error: "3" },
    // Ratings are numbers: 1 is A, 5 is E. No open vulnerability, and no bug that is worse than medium.
    { metric: "software_quality_security_rating", op: "GT", error: "1" },
    { metric: "software_quality_reliability_rating", op: "GT", error: "3" },
    { metric: "coverage", op: "LT", error: "50" },
  ],
}

/** The gate's answer as a report. Conditions that failed come first. */
export function gateReport(status: GateStatus, url: string): QualityGateReport {
  const conditions = status.conditions.map((condition) => ({
    metric: condition.metricKey,
    status: conditionStatus(condition),
    ...(condition.actualValue === undefined ? {} : { actual: shown(condition.metricKey, condition.actualValue) }),
    ...(condition.errorThreshold === undefined
      ? {}
      : { threshold: shown(condition.metricKey, condition.errorThreshold) }),
    ...(condition.comparator === undefined ? {} : { comparator: condition.comparator }),
  }))
  const order = { failed: 0, none: 1, passed: 2 }
  return {
    kind: "quality-gate",
    status: status.status === "NONE" ? "none" : status.status === "ERROR" ? "failed" : "passed",
    url,
    conditions: conditions.sort((a, b) => order[a.status] - order[b.status]),
  }
}

function conditionStatus(condition: GateCondition): "passed" | "failed" | "none" {
  if (condition.status === "ERROR") return "failed"
  return condition.status === "OK" || condition.status === "WARN" ? "passed" : "none"
}

/** Ratings are letters to people. */
function shown(metric: string, value: string): string {
  return metric.endsWith("_rating") ? ("ABCDE"[Math.round(Number(value)) - 1] ?? value) : value
}

/** The red gate as an error: what it measured and what it wanted. */
export function gateRefused(service: string, report: QualityGateReport) {
  const failed = report.conditions.filter((condition) => condition.status === "failed")
  const lines = failed.map(
    ({ metric, actual, threshold, comparator }) =>
      `${metric} is ${actual ?? "unknown"}, ${comparator === "LT" ? "at least" : "at most"} ${threshold ?? "?"} is wanted`,
  )
  return fault({
    code: "SONAR-GATE",
    kind: "failed",
    message: `SonarQube's quality gate refuses ${service}: ${lines[0] ?? "see its dashboard"}${
      lines.length > 1 ? ` (and ${lines.length - 1} more)` : ""
    }`,
    reason: lines.join("\n"),
    hint: `Open ${report.url ?? "the project's dashboard"}: it shows each issue and the lines that are not covered.`,
  })
}
