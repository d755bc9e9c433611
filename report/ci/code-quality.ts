import { createHash } from "node:crypto"
import type { Report } from "../../core/reports.js"
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
  const found = input.steps.flatMap((step) => step.reports.flatMap((report) => ofReport(input, step.service, report)))
  const seen = new Map<string, number[]>()
  return found.flatMap(({ description, check, severity, path, line }): CodeQualityIssue[] => {
    const same = `${check}\0${path}\0${description}`
    const lines = seen.get(same) ?? []
    if (lines.includes(line)) return []
    seen.set(same, [...lines, line])
    // The same words about several lines of a file: the first, the second … stay themselves when lines move.
    const fingerprint = createHash("sha256").update(`${same}\0${lines.length}`).digest("hex").slice(0, 32)
    return [{ description, check_name: check, fingerprint, severity, location: { path, lines: { begin: line } } }]
  })
}

interface Found {
  readonly description: string
  readonly check: string
  readonly severity: CodeQualityIssue["severity"]
  readonly path: string
  readonly line: number
}

function ofReport(input: CiInput, service: string | undefined, report: Report): readonly Found[] {
  if (report.kind === "findings") {
    return report.items.flatMap((item) => {
      const [, named = "", line = "1"] = /^(.*?)(?::(\d+))?$/s.exec(item.location) ?? []
      // "lodash 4.17.15 in app/package-lock.json" is a package of an image, and has a report of its own.
      const path = /\s/.test(named) ? undefined : input.locate(service, named)
      if (path === undefined) return []
      const description = `${item.title}${item.fix === undefined ? "" : ` (fixed in ${item.fix})`}`
      return [{ description, check: item.id, severity: severityOf(item.severity), path, line: Number(line) || 1 }]
    })
  }
  const path = report.kind === "quality-gate" ? declarationOf(input, service) : undefined
  if (report.kind !== "quality-gate" || path === undefined) return []
  return report.conditions
    .filter((condition) => condition.status === "failed")
    .map((condition) => ({
      description: `Quality gate: ${conditionText(condition)}`,
      check: `quality-gate.${condition.metric}`,
      severity: "major",
      path,
      line: 1,
    }))
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
