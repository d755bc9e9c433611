import type { RunRecord } from "../core/record.js"
import { closingLines, type ClosingOptions } from "./closing.js"
import { describeReport, reportDetails } from "./describe.js"
import { duration, moment, shortCommit } from "./format.js"
import { findSource } from "./source.js"
import { createStyle, glyph, paint, type TextOptions } from "./style.js"
import { table } from "./table.js"
import { workTime } from "./timing.js"
import { cleanLine } from "./width.js"

/**
 * The text of `gantry show <run>`: how it stands, whose commit it is, each step, why it is red, what the steps reported,
 * what to do.
 */
export function renderRun(record: RunRecord, options: ClosingOptions = {}): string {
  const style = createStyle(options)
  const { colors } = style
  const [title = "", facts = "", ...rest] = closingLines(record, options)
  const source = findSource(record)
  const commit =
    source === undefined ? [] : [colors.dim(`  ${cleanLine(`${source.subject ?? ""} (${source.author})`)}`)]
  const reports = record.steps
    .filter((step) => step.reports.length > 0)
    .flatMap((step) => [
      `  ${glyph(style, step.status)} ${step.id}`,
      ...step.reports.flatMap((report) => [
        `      ${describeReport(report)}`,
        ...reportDetails(report).map((line) => `      ${colors.dim(style.bar)} ${line}`),
      ]),
    ])
  return [
    title,
    facts,
    ...commit,
    ...rest,
    ...(reports.length === 0 ? [] : ["", colors.bold("Reports"), ...reports]),
  ].join("\n")
}

/** The text of `gantry runs`: one line a run, in the order given. */
export function renderRuns(
  records: readonly RunRecord[],
  options: TextOptions & { readonly now?: number | undefined } = {},
): string {
  const style = createStyle(options)
  if (records.length === 0) return `No runs yet. \`${style.command} run <pipeline>\` makes the first.`
  const now = options.now ?? Date.now()
  const statusPaint = (record: RunRecord) => (text: string) => paint(style, record.status, text)
  const rows = records.map((record) => [
    { text: glyph({ ...style, colors: createStyle().colors }, record.status), paint: statusPaint(record) },
    { text: record.id },
    { text: moment(record.startedAt, style.utc), paint: style.colors.dim },
    { text: record.pipeline },
    { text: `${shortCommit(record.commit)}${record.dirty ? "+" : ""}` },
    { text: record.status, paint: statusPaint(record) },
    { text: duration(workTime(record, now)) },
    { text: noteOf(record), paint: style.colors.dim },
  ])
  const heads = ["", "run", "started", "pipeline", "commit", "status"].map((title) => ({ title }))
  return table(
    [...heads, { title: "time", align: "right" as const }, { title: "", flexible: true }],
    rows,
    style.columns,
    style.colors.dim,
  ).join("\n")
}

/** Of a red run the steps that made it so; else what it delivers. */
function noteOf(record: RunRecord): string {
  const red = record.steps.filter((step) => ["failed", "errored", "waiting"].includes(step.status))
  const services = record.services.join(", ")
  if (red.length === 0) return services
  return cleanLine(
    `${services === "" ? "" : `${services}: `}${red.map((step) => `${step.id} ${step.status}`).join(", ")}`,
  )
}
