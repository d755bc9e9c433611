import type { StepRecord } from "../core/record.js"
import type { FindingsReport, QualityGateReport, Report, RolloutReport } from "../core/reports.js"
import { bytes, clock, duration, percent, plural, shortDigest } from "./format.js"
import { cleanLine } from "./width.js"

/** Reports in one line of words, and the few lines behind it that a reader needs at once. No colours, safe to print. */

/** "41 passed, 2 failed, 1 skipped in 3.2 s, coverage 87.4 %" and the like: what a step has to say, in one line. */
export function describeReport(report: Report): string {
  return cleanLine(reportText(report))
}

function reportText(report: Report): string {
  switch (report.kind) {
    case "tests": {
      const counts = [
        `${report.passed} passed`,
        ...(report.failed > 0 ? [`${report.failed} failed`] : []),
        ...(report.skipped > 0 ? [`${report.skipped} skipped`] : []),
      ].join(", ")
      const coverage = report.coverage === undefined ? "" : `, coverage ${percent(report.coverage)}`
      const title = /tests$/.test(report.suite) ? report.suite : `${report.suite} tests`
      return `${title}: ${counts} in ${duration(report.seconds * 1000)}${coverage}`
    }
    case "findings":
      return `${report.tool}: ${findingCounts(report)}`
    case "quality-gate":
      return qualityGateText(report)
    case "image":
      return `image ${report.reference}${report.reference.includes(report.digest) ? "" : ` ${report.digest}`}${
        report.size === undefined ? "" : ` (${bytes(report.size)})`
      }`
    case "deployment":
      return (
        `${report.environment}: ${report.service} ${report.digest}, ${plural(report.replicas, "replica")}, ` +
        `${report.url}${report.unchanged ? " (ran there already, nothing was touched)" : ""}`
      )
    case "approval":
      return `${report.decision} by ${report.by}: ${report.reason}`
    case "rollout":
      return `${report.environment}: ${rolloutText(report)}`
    case "link":
      return `${report.title}: ${report.url}`
    default:
      return report satisfies never
  }
}

/** "1 critical, 3 high (1 blocks, 2 excepted)". */
export function findingCounts(report: FindingsReport): string {
  const counts = Object.entries(report.counts).filter(([, count]) => count > 0)
  if (counts.length === 0) return "no findings"
  const blocking = report.items.filter((item) => item.blocking).length
  const excepted = report.items.filter((item) => item.exception !== undefined).length
  const notes = [
    blocking > 0 ? `${blocking} ${blocking === 1 ? "blocks" : "block"}` : "none blocks",
    ...(excepted > 0 ? [`${excepted} excepted`] : []),
  ]
  return `${counts.map(([severity, count]) => `${count} ${severity.toLowerCase()}`).join(", ")} (${notes.join(", ")})`
}

function qualityGateText(report: QualityGateReport): string {
  if (report.status === "none") return "quality gate: none is set for the project"
  const failed = report.conditions.filter((condition) => condition.status === "failed")
  const why =
    failed.length > 0
      ? `: ${failed.map(conditionText).join("; ")}`
      : report.conditions.length > 0
        ? `, ${plural(report.conditions.length, "condition")}`
        : ""
  return `quality gate ${report.status}${why}`
}

type Condition = QualityGateReport["conditions"][number]

/** SonarQube's comparator says when a condition fails: LT is "worse when less than". */
const comparators: Readonly<Record<string, string>> = { LT: "<", GT: ">", EQ: "=", NE: "≠" }

/** "< 80": when a condition fails. */
export function limitText(condition: Condition): string {
  if (condition.threshold === undefined) return ""
  return `${comparators[condition.comparator ?? ""] ?? condition.comparator ?? "against"} ${condition.threshold}`
}

/** "new_coverage 71.2 < 80": what was measured, and the limit it broke. */
export function conditionText(condition: Condition): string {
  return `${condition.metric} ${condition.actual ?? "not measured"} ${limitText(condition)}`.trimEnd()
}

/** "canary of catalog went back at 25 % after 3 min 20 s, 9 measurements: 8 pass, 1 fail". */
export function rolloutText(report: RolloutReport): string {
  const { samples } = report
  const [first, last] = [samples[0], samples[samples.length - 1]]
  const took = first === undefined || last === undefined ? 0 : Date.parse(last.at) - Date.parse(first.at)
  const judged = samples.flatMap(({ judgement }) => judgement ?? [])
  const counts = (["pass", "fail", "inconclusive"] as const)
    .map((name) => [name, judged.filter((one) => one === name).length] as const)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
  // Where it stood before the way back, which ends at 0.
  const reached = Math.max(0, ...samples.map((sample) => sample.percent))
  const where =
    report.outcome === "done" ? "" : ` at ${percent(report.outcome === "paused" ? (last?.percent ?? 0) : reached)}`
  const measured = judged.length === 0 ? "" : `, ${plural(judged.length, "measurement")}: ${counts.join(", ")}`
  return `${report.strategy} of ${report.service} ${outcomes[report.outcome]}${where} after ${duration(took)}${measured}`
}

const outcomes: Readonly<Record<RolloutReport["outcome"], string>> = {
  done: "done",
  "went back": "went back",
  paused: "paused",
  stranded: "stopped between two releases",
}

/** Red tests, blocking findings, broken conditions: at most `limit` of them, and how many more there are. */
export function reportDetails(report: Report, limit = 5): readonly string[] {
  const lines = detailLines(report)
  const shown = lines.length <= limit ? lines : [...lines.slice(0, limit), `and ${lines.length - limit} more`]
  return shown.map(cleanLine)
}

function detailLines(report: Report): string[] {
  switch (report.kind) {
    case "tests":
      return report.failures.map((f) => `${f.name}: ${firstLine(f.message)}`)
    case "findings":
      return [
        ...report.items.filter((item) => item.blocking).map(findingText),
        ...(report.basis === undefined ? [] : [`judged with ${report.basis}`]),
      ]
    case "quality-gate":
      return report.url === undefined ? [] : [report.url]
    case "rollout":
      // The end of the story tells most.
      return [
        ...(report.measures ?? []).filter((m) => m.dryRun).map((m) => `${m.metric}: ${m.text}`),
        ...report.marks.map(({ at, text }) => `${clock(at)} ${text}`),
      ].slice(-5)
    default:
      return []
  }
}

const findingText = (item: FindingsReport["items"][number]): string =>
  `${item.severity} ${item.id} in ${item.location}: ${item.title}${item.fix === undefined ? "" : ` (fixed in ${item.fix})`}`

const firstLine = (text: string) => text.split("\n").find((line) => line.trim() !== "") ?? ""

/** A step's report in a few words, for a cell of a table. */
export function briefReport(report: Report): string {
  switch (report.kind) {
    case "tests": {
      const failed = report.failed > 0 ? `, ${report.failed} failed` : ""
      const coverage = report.coverage === undefined ? "" : `, coverage ${percent(report.coverage)}`
      return `${report.passed} passed${failed}${coverage}`
    }
    case "findings":
      return findingCounts(report)
    case "quality-gate":
      return qualityGateText(report)
    case "image":
      return `${shortDigest(report.digest)}${report.size === undefined ? "" : `, ${bytes(report.size)}`}`
    case "deployment":
      return `${report.url} ${shortDigest(report.digest)}${report.unchanged ? " (unchanged)" : ""}`
    case "approval":
      return `${report.decision} by ${report.by}`
    case "rollout":
      return rolloutText(report)
    case "link":
      return report.title
    default:
      return report satisfies never
  }
}

/** Why a step stands as it stands, or what it found: the last cell of its row. */
export function stepNote(step: StepRecord): string {
  // A gate is asked again by each resume: that is no second try.
  const attempts = step.attempts > 1 && step.kind !== "gate" ? [`attempt ${step.attempts}`] : []
  const findings =
    step.error === undefined ? step.reports.map(briefReport) : [`${step.error.code}: ${step.error.message}`]
  const parts = [...attempts, ...findings, ...(step.reason === undefined ? [] : [step.reason])]
  return cleanLine(parts.join("; "))
}
