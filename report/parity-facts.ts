import type { StepRecord } from "../core/record.js"
import type { Report } from "../core/reports.js"

/** One comparable thing that a step recorded. */
export interface Fact {
  readonly text: string
  /** What the text lists: of two lists only what one of them lacks is worth reading. */
  readonly items?: readonly string[]
  /** Two runs of one commit may differ in it. */
  readonly may?: boolean
  /** Where to look when it differs. */
  readonly why?: string
}

/** What of a step is compared with the same step of another run, by what it is called. */
export function facts(step: StepRecord): ReadonlyMap<string, Fact> {
  const all = new Map<string, Fact>([
    ["kind", { text: step.kind }],
    ["needs", { text: [...step.needs].sort().join(", ") }],
    ["outcome", { text: step.status }],
  ])
  for (const [name, fact] of [...outputFacts(step.output), ...step.reports.flatMap(reportFacts)]) all.set(name, fact)
  return all
}

/** Fields of outputs that mean the same in every step; the rest (times, addresses, ids of analyses) belongs to one run. */
function outputFacts(output: StepRecord["output"]): readonly [string, Fact][] {
  if (typeof output !== "object" || output === null || Array.isArray(output)) return []
  const fields = output as Readonly<Record<string, unknown>>
  return [
    ...text(fields, "commit", {}),
    ...text(fields, "tree", { why: "Other files were delivered: the commits differ, or a work tree was not clean." }),
    ...text(fields, "configHash", {
      why: "The configuration for the environment differs: the config repository, its profile, or the environment's accounts.",
    }),
    ...text(fields, "digest", {
      may: true,
      why: "The image was built twice. Gantry builds once a run; two builds of one tree may differ in bytes.",
    }),
  ]
}

function text(fields: Readonly<Record<string, unknown>>, name: string, more: Omit<Fact, "text">): [string, Fact][] {
  const value = fields[name]
  return typeof value === "string" ? [[name, { text: value, ...more }]] : []
}

function reportFacts(report: Report): readonly [string, Fact][] {
  switch (report.kind) {
    case "tests": {
      const { suite, total, passed, failed, skipped } = report
      return [
        [`tests of ${suite}`, { text: `${total}: ${passed} passed, ${failed} failed, ${skipped} skipped` }],
        [`failed tests of ${suite}`, list(report.failures.map((failure) => failure.name))],
      ]
    }
    case "findings": {
      const why =
        report.basis === undefined ? undefined : `What the tool knows changes: here its basis is ${report.basis}.`
      const told = why === undefined ? {} : { why }
      return [
        [`findings of ${report.tool}`, { ...list(report.items.map((i) => `${i.id} ${i.location}`)), ...told }],
        [`findings of ${report.tool} that block`, list(report.items.filter((i) => i.blocking).map((i) => i.id))],
        [
          `severities of ${report.tool}`,
          { ...list(Object.entries(report.counts).map(([k, n]) => `${n} ${k}`)), ...told },
        ],
      ]
    }
    case "quality-gate":
      return [
        ["quality gate", { text: report.status }],
        ["conditions", conditions(report, false)],
        ["conditions on new code", { ...conditions(report, true), may: true, why: whatIsNew }],
      ]
    case "deployment": {
      const to = `${report.environment} ${report.service}`
      return [
        [`replicas in ${to}`, { text: String(report.replicas) }],
        [`address of ${to}`, { text: report.url, may: true }],
      ]
    }
    case "rollout":
      return [[`${report.strategy} in ${report.environment} ${report.service}`, { text: report.outcome }]]
    case "approval":
      return [
        ["decision", { text: report.decision }],
        ["decided by", { text: report.by, may: true }],
      ]
    case "image":
    case "link":
      return []
    default:
      return report satisfies never
  }
}

const whatIsNew =
  "What is new is counted from the analyses that the server had before: a project's first one has nothing new to judge."

/** SonarQube's metrics of new code begin with "new_". */
function conditions(gate: Extract<Report, { kind: "quality-gate" }>, ofNewCode: boolean): Fact {
  const meant = gate.conditions.filter(({ metric }) => metric.startsWith("new_") === ofNewCode)
  return list(meant.map(({ metric, status }) => `${metric} ${status}`))
}

function list(unsorted: readonly string[]): Fact {
  const items = [...unsorted].sort()
  return { text: items.length === 0 ? "none" : items.join(", "), items }
}
