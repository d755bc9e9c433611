import type { StepRecord } from "../core/record.js"
import { briefReport } from "./describe.js"
import type { Fold } from "./fold.js"
import { elapsed } from "./format.js"
import type { Size } from "./live.js"
import type { Style } from "./style.js"
import { cleanLine, textWidth, truncate } from "./width.js"

const frames = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"]
const asciiFrames = ["|", "/", "-", "\\"]

/** Turns ten times a second; all of a frame turn alike. */
export function spinner(style: Style, now: number): string {
  const glyphs = style.unicode ? frames : asciiFrames
  return style.colors.cyan(glyphs[Math.floor(now / 100) % glyphs.length] ?? "")
}

/** Lines of log below a running step, where there is room. */
const tailLines = 3

/**
 * The live lines of a run: what runs with its elapsed time and last lines of log, what comes next, the whole in one line.
 * Never more than `rows - 1` lines, none wider than `columns - 1`.
 * @param retryAt Instants at which steps are tried again, milliseconds since 1970.
 */
export function runFrame(
  fold: Fold,
  style: Style,
  size: Size,
  now: number,
  retryAt: ReadonlyMap<string, number>,
): string[] {
  const record = fold.state.record
  if (record === undefined || record.status !== "running") return []
  const width = Math.max(1, size.columns - 1)
  const running = record.steps.filter((step) => step.status === "running")
  const next = nextLine(record.steps, style, width)
  const room = Math.max(1, size.rows - 2 - (next === undefined ? 0 : 1))
  const listed = running.length <= room ? running : running.slice(0, Math.max(0, room - 1))
  const tail = Math.min(tailLines, Math.floor((room - listed.length) / Math.max(1, listed.length)))
  return [
    ...listed.flatMap((step) => stepLines(step, { fold, style, width, now, tail, retryAt: retryAt.get(step.id) })),
    ...(listed.length < running.length
      ? [style.colors.dim(truncate(`  and ${running.length - listed.length} more running`, width))]
      : []),
    ...(next === undefined ? [] : [next]),
    summaryLine(record.pipeline, record.steps, Date.parse(record.startedAt), { style, width, now }),
  ]
}

function stepLines(
  step: StepRecord,
  view: {
    readonly fold: Fold
    readonly style: Style
    readonly width: number
    readonly now: number
    readonly tail: number
    readonly retryAt: number | undefined
  },
): string[] {
  const { style, width, now } = view
  const { colors } = style
  const clock = step.startedAt === undefined ? "" : elapsed(now - Date.parse(step.startedAt))
  const notes = [
    ...(view.retryAt !== undefined && view.retryAt > now
      ? [`errored, next attempt in ${elapsed(view.retryAt - now + 1000)}`]
      : step.attempts > 1
        ? [`attempt ${step.attempts}`]
        : []),
    ...step.reports.map(briefReport),
  ]
  const name = truncate(step.id, width - 2)
  const after = truncate(
    `  ${clock}${notes.length === 0 ? "" : `  ${cleanLine(notes.join("; "))}`}`,
    width - 2 - textWidth(name),
  )
  const log = view.tail === 0 ? [] : view.fold.tail(step.id).slice(-view.tail)
  return [
    `${spinner(style, now)} ${colors.bold(name)}${colors.dim(after)}`,
    ...log.map((line) => colors.dim(truncate(`  ${style.bar} ${cleanLine(line)}`, width))),
  ]
}

function nextLine(steps: readonly StepRecord[], style: Style, width: number): string | undefined {
  const pending = steps.filter((step) => step.status === "pending")
  if (pending.length === 0) return undefined
  const head = "  then "
  let names = ""
  for (const [i, step] of pending.entries()) {
    const rest = pending.length - i - 1
    const more = rest === 0 ? "" : ` and ${rest} more`
    const longer = names === "" ? step.id : `${names}, ${step.id}`
    if (textWidth(head + longer + more) > width) {
      names = names === "" ? `${pending.length} more` : `${names} and ${rest + 1} more`
      break
    }
    names = longer
  }
  return style.colors.dim(truncate(head + names, width))
}

function summaryLine(
  pipeline: string,
  steps: readonly StepRecord[],
  startedAt: number,
  view: { readonly style: Style; readonly width: number; readonly now: number },
): string {
  const { style, width, now } = view
  const count = (...statuses: readonly StepRecord["status"][]) =>
    steps.filter((step) => statuses.includes(step.status)).length
  const red = count("failed", "errored")
  const parts = [
    pipeline,
    `${steps.length - count("pending", "running")} of ${steps.length} done`,
    ...(red > 0 ? [`${red} red`] : []),
    ...(count("waiting") > 0 ? [`${count("waiting")} waiting`] : []),
    elapsed(now - startedAt),
  ]
  const text = truncate(parts.join(` ${style.dot} `), width)
  return red > 0 ? style.colors.red(text) : style.colors.cyan(text)
}
