import { createHash } from "node:crypto"
import { conditionText } from "../describe.js"
import type { CiInput } from "./input.js"

/** One entry of GitLab's code quality report, a subset of Code Climate's (https://docs.gitlab.com/ci/testing/code_quality/#code-quality-report-format). */
export interface CodeQualityIssue {
  readonly description: string
  readonly check_name: string
  /** The same problem in the next run has the same one: no line numbers in it. */
  readonly fingerprint: string
  readonly severity: "info" | "minor" | "major" | "critical" | "blocker"
  readonly location: { readonly path: string; readonly lines: { readonly begin: number } }
}

/**
 * What the steps of a job found in files of the repository: findings that name a file, and conditions of a quality gate
 * that failed, which are about a service as a whole and so stand at its declaration.
 */
export function jobCodeQuality(input: CiInput): readonly CodeQualityIssue[] {
  const issues = new Map<string, CodeQualityIssue>()
  const add = (
    check: string,
    description: string,
    severity: CodeQualityIssue["severity"],
    path: string,
    line: number,
  ) => {
    const fingerprint = createHash("sha256").update(`${check}\0${path}\0${description}`).digest("hex").slice(0, 32)
    issues.set(fingerprint, {
      description,
      check_name: check,
      fingerprint,
      severity,
      location: { path, lines: { begin: line } },
    })
  }
  for (const { service, reports } of input.steps) {
    for (const report of reports) {
      if (report.kind === "findings") {
        for (const item of report.items) {
          const [, named = "", line = "1"] = /^(.*?)(?::(\d+))?$/s.exec(item.location) ?? []
          const path = input.locate(service, named)
          if (path === undefined) continue
          add(
            item.id,
            `${item.title}${item.fix === undefined ? "" : ` (fixed in ${item.fix})`}`,
            severityOf(item.severity),
            path,
            Number(line) || 1,
          )
        }
      }
      if (report.kind === "quality-gate") {
        const path = declarationOf(input, service)
        for (const condition of report.conditions) {
          if (condition.status !== "failed" || path === undefined) continue
          add(`quality-gate.${condition.metric}`, `Quality gate: ${conditionText(condition)}`, "major", path, 1)
        }
      }
    }
  }
  return [...issues.values()]
}

function declarationOf(input: CiInput, service: string | undefined): string | undefined {
  if (service === undefined) return undefined
  return input.locate(service, `${input.folder(service) ?? service}/gantry.service.yaml`)
}

function severityOf(severity: string): CodeQualityIssue["severity"] {
  const known: Readonly<Record<string, CodeQualityIssue["severity"]>> = {
    CRITICAL: "blocker",
    BLOCKER: "blocker",
    HIGH: "critical",
    MEDIUM: "major",
    MAJOR: "major",
    LOW: "minor",
    MINOR: "minor",
  }
  return known[severity.toUpperCase()] ?? "info"
}
