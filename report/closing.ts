import type { RunRecord, StepRecord } from "../core/record.js"
import { whatNow } from "./advice.js"
import { reportDetails, stepNote } from "./describe.js"
import { faultLines } from "./fault.js"
import { duration, moment, shortCommit } from "./format.js"
import { createStyle, glyph, paint, type Style, type TextOptions } from "./style.js"
import { table } from "./table.js"
import { stepDuration, wallTime, workTime } from "./timing.js"
import { textWidth } from "./width.js"

export interface ClosingOptions extends TextOptions {
  /** Path of the HTML report, when there is one. */
  readonly html?: string | undefined
  /** Last lines of the logs of red steps, by step. */
  readonly logTails?: ReadonlyMap<string, readonly string[]> | undefined
  /** Instant up to which running steps are measured, milliseconds since 1970. Default: now. */
  readonly now?: number | undefined
}

/** How a run ended, whole: table of the steps, why it is red, what to do. A reader who sees only this knows enough. */
export function closingLines(record: RunRecord, options: ClosingOptions = {}): string[] {
  const style = createStyle(options)
  const now = options.now ?? Date.now()
  return [
    ...headLines(record, style, now),
    "",
    ...stepTable(record, style, now),
    ...whyLines(record, style, options.logTails),
    ...whatNowLines(record, style, options.html),
  ]
}

/** "✗ delivery failed after 3 min 12 s" and the line that says of what. */
export function headLines(record: RunRecord, style: Style, now: number): string[] {
  const { colors } = style
  const wall = wallTime(record, now) ?? 0
  const work = workTime(record, now)
  // Both only where they differ enough to be asked about: a run that waited for its approval.
  const time = wall > work * 1.2 + 5000 ? `${duration(work)} of work in ${duration(wall)}` : duration(wall)
  const words: Readonly<Record<RunRecord["status"], string>> = {
    success: `succeeded in ${time}`,
    failed: `failed after ${time}`,
    errored: `broke off after ${time}: not the commit's fault, the infrastructure's`,
    cancelled: `was cancelled after ${time}`,
    waiting: `waits for a decision after ${time}`,
    running: `has been running for ${time}`,
  }
  const title = `${glyph(style, record.status)} ${paint(style, record.status, colors.bold(`${record.pipeline} ${words[record.status]}`))}`
  const services = record.services.length === 0 ? "" : ` ${style.dot} ${record.services.join(", ")}`
  const commit = `${shortCommit(record.commit)}${record.dirty ? " with the work tree's changes" : ""}`
  return [
    title,
    colors.dim(
      `  run ${record.id}${services} ${style.dot} commit ${commit} ${style.dot} ${moment(record.startedAt, style.utc)}`,
    ),
  ]
}

/** Step, status, duration, note. */
export function stepTable(record: RunRecord, style: Style, now: number): string[] {
  const rows = record.steps.map((step) => {
    const took = step.cached ? undefined : stepDuration(step, now)
    return [
      { text: glyphText(step, style), paint: (t: string) => paint(style, step.status, t) },
      { text: step.id },
      { text: step.status, paint: (t: string) => paint(style, step.status, t) },
      {
        text: step.cached ? "cached" : took === undefined || step.status === "skipped" ? "" : duration(took),
        ...(step.cached ? { paint: style.colors.dim } : {}),
      },
      { text: stepNote(step), paint: style.colors.dim },
    ]
  })
  const heads = [
    { title: " " },
    { title: "step" },
    { title: "status" },
    { title: "time", align: "right" as const },
    { title: "", flexible: true },
  ]
  return table(heads, rows, style.columns, style.colors.dim)
}

function glyphText(step: StepRecord, style: Style): string {
  return glyph({ ...style, colors: createStyle().colors }, step.status)
}

/** Each red step with its error, the end of its log and what it reported. */
export function whyLines(record: RunRecord, style: Style, tails: ClosingOptions["logTails"]): string[] {
  const red = record.steps.filter((s) => s.error !== undefined && ["failed", "errored", "waiting"].includes(s.status))
  const lines = red.flatMap((step) => {
    const error = step.error
    if (error === undefined) return []
    const head = `${glyph(style, step.status)} ${style.colors.bold(step.id)}`
    const details = step.reports.flatMap((report) => reportDetails(report))
    const inner = { ...style, columns: style.columns - 2 }
    return [
      "",
      head,
      ...faultLines(error, inner, tails?.get(step.id)).map((line) => `  ${line}`),
      ...details.map((line) => `    ${style.colors.dim(style.bar)} ${line}`),
    ]
  })
  const ofRun = record.error === undefined ? [] : ["", ...faultLines(record.error, style)]
  return [...lines, ...ofRun]
}

/** The commands, one under the other, ready to paste. */
export function whatNowLines(record: RunRecord, style: Style, html?: string): string[] {
  const advice = whatNow(record, style.command)
  const rows = [
    ...advice.map(({ text, command, url, value }) => ({ text, what: command ?? url ?? value ?? "" })),
    ...(html === undefined ? [] : [{ text: "The report", what: html }]),
  ]
  if (rows.length === 0) return []
  const title = record.status === "success" ? "Delivered" : "What now"
  const widest = Math.max(...rows.map((row) => textWidth(row.text)))
  // Beside each other where it fits; else the command gets a line of its own, so that it can be selected whole.
  const beside = rows.every((row) => widest + 4 + textWidth(row.what) <= style.columns)
  return [
    "",
    style.colors.bold(title),
    ...rows.flatMap(({ text, what }) =>
      beside
        ? [`  ${text}${what === "" ? "" : `${" ".repeat(widest - textWidth(text))}  ${style.colors.cyan(what)}`}`]
        : [`  ${text}`, ...(what === "" ? [] : [`    ${style.colors.cyan(what)}`])],
    ),
  ]
}
