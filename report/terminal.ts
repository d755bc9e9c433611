import type { RunEvent, Stamped, StepFinished } from "../core/events.js"
import type { Progress } from "../core/progress.js"
import type { RunRecord, StepRecord } from "../core/record.js"
import { closingLines, headLines, whyLines, whatNowLines } from "./closing.js"
import { reportDetails, stepNote } from "./describe.js"
import { faultLines } from "./fault.js"
import { createFold } from "./fold.js"
import { duration, shortCommit } from "./format.js"
import { runFrame } from "./frame.js"
import { liveArea, type TerminalOut } from "./live.js"
import { createStyle, glyph, type Style, type TextOptions } from "./style.js"
import { taskEndLines, taskLines, trackTasks } from "./tasks.js"
import { stepDuration } from "./timing.js"
import { pad, textWidth, truncate } from "./width.js"

export interface TerminalOptions extends TextOptions {
  /** The run as an earlier process left it, when it is resumed. */
  readonly record?: RunRecord | undefined
  /** Path of the HTML report that is written at the end. */
  readonly html?: string | undefined
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** A view of a run, drawn or in lines. */
export interface View {
  event(event: Stamped<RunEvent>): void
  /** For work beside the steps (provisioning) while the view is open. */
  readonly progress: Progress
  /** A message of its own, into the scrollback. */
  print(text: string): void
  /** Takes the live lines away while somebody else uses the terminal, e.g. to ask at the gate. */
  suspend(): void
  resume(): void
  /** Writes what is left and restores the cursor. May be called again. */
  stop(): void
}

/**
 * Live view on a terminal: finished steps go to the scrollback once, below them stand what runs, its last lines of log,
 * and what comes next; drawn in place at most ten times a second. The clock keeps no process alive: call `stop()`.
 */
export function terminalRenderer(out: TerminalOut, options: TerminalOptions = {}): View {
  const base = createStyle(options)
  const style = (): Style => ({ ...base, columns: out.columns ?? base.columns })
  const now = options.now ?? Date.now
  const fold = createFold(options.record)
  const retryAt = new Map<string, number>()
  /** Lines printed since the first error: while it is still on the screen, the closing need not repeat it. */
  let sinceError: number | undefined
  const area = liveArea(out, (size) => {
    const provisioning = taskLines(tasks.running, base, size.columns, Math.max(2, Math.floor(size.rows / 2)), now())
    const steps = runFrame(fold, base, { columns: size.columns, rows: size.rows - provisioning.length }, now(), retryAt)
    return [...provisioning, ...steps]
  })
  const tasks = trackTasks(now, { ended: (task, end) => area.print(taskEndLines(task, end, style())) })
  return {
    event(event) {
      if (event.type === "step-retried") retryAt.set(event.step, Date.parse(event.at) + event.delay)
      if (event.type === "step-started") retryAt.delete(event.step)
      fold.apply(event)
      const repeat = sinceError === undefined || sinceError > (out.rows ?? 24) / 2
      const lines = lastingLines(event, fold, style(), { ...options, repeat })
      if (sinceError !== undefined) sinceError += lines.length
      else if (event.type === "step-finished" && event.error !== undefined) sinceError = 0
      area.print(lines)
    },
    progress: { task: tasks.task },
    print: (text) => area.print(text.split("\n")),
    suspend: area.suspend,
    resume: area.resume,
    stop: area.stop,
  }
}

/** What of an event belongs into the scrollback. */
function lastingLines(
  event: Stamped<RunEvent>,
  fold: ReturnType<typeof createFold>,
  style: Style,
  options: TerminalOptions & { readonly repeat: boolean },
): readonly string[] {
  const { colors } = style
  const record = fold.state.record
  switch (event.type) {
    case "run-started":
      return [
        `${colors.bold(event.pipeline)}${event.services.length === 0 ? "" : ` ${style.dot} ${event.services.join(", ")}`} ${style.dot} ` +
          `commit ${shortCommit(event.commit)}${event.dirty ? " with the work tree's changes" : ""}`,
        colors.dim(`run ${event.run}`),
      ]
    case "run-resumed":
      if (record === undefined) return []
      return [
        `${colors.bold(record.pipeline)} ${style.dot} run ${record.id} goes on`,
        // What this view has shown already stands above; what another process did does not.
        ...(options.record === undefined ? [] : record.steps)
          .filter((step) => step.status === "success")
          .map((step) => finishedLine(step, record, style)),
      ]
    case "step-retried":
      return [
        `${glyph(style, "errored")} ${event.step}  attempt ${event.attempt} errored, the next one in ${duration(event.delay)}`,
        ...faultLines(event.error, style).map((line) => `  ${line}`),
      ]
    case "step-finished":
      return finishedLines(event, fold, style)
    case "run-finished":
      if (record === undefined) return []
      if (options.record !== undefined) {
        return ["", ...closingLines(record, { ...options, columns: style.columns, now: Date.parse(event.at) })]
      }
      return [
        "",
        ...headLines(record, style, Date.parse(event.at)),
        ...(options.repeat ? whyLines(record, style, undefined) : []),
        ...whatNowLines(record, style, options.html),
      ]
    case "step-started":
    case "effect-started":
    case "step-reported":
    case "artifact-kept":
    case "step-imported":
    case "step-logged":
      return []
    default:
      return event satisfies never
  }
}

function finishedLines(event: StepFinished, fold: ReturnType<typeof createFold>, style: Style): string[] {
  const step = fold.state.index.get(event.step)
  const record = fold.state.record
  if (step === undefined || record === undefined) return []
  const line = finishedLine(step, record, style)
  if (step.error === undefined) return [line]
  const tail = event.status === "failed" || event.status === "errored" ? fold.tail(event.step) : []
  return [
    line,
    ...faultLines(step.error, { ...style, columns: style.columns - 2 }, tail).map((text) => `  ${text}`),
    ...step.reports.flatMap((r) => reportDetails(r)).map((text) => `    ${style.colors.dim(style.bar)} ${text}`),
  ]
}

/** "✓ catalog.unit-tests    12 s  41 passed, coverage 87.4 %". */
function finishedLine(step: StepRecord, record: RunRecord, style: Style): string {
  const { colors } = style
  const names = nameWidth(record)
  const took = step.cached ? "cached" : step.status === "skipped" ? "" : duration(stepDuration(step) ?? 0)
  const name = pad(step.id, names)
  const room = style.columns - 1 - 2 - textWidth(name) - 2 - timeWidth - 2
  // Red ones say the whole of it below; here stands the rest.
  const note =
    step.error === undefined
      ? stepNote(step)
      : step.reports.length > 0
        ? stepNote({ ...step, error: undefined })
        : step.status
  return [
    `${glyph(style, step.status)} ${step.status === "skipped" ? colors.dim(name) : name}`,
    colors.dim(pad(took, timeWidth, "right")),
    colors.dim(room < 8 ? "" : truncate(note, room)),
  ]
    .join("  ")
    .trimEnd()
}

const nameWidths = new WeakMap<RunRecord["steps"], number>()

/** Width of the column of names: of the longest, within reason. Kept, because each of 10,000 steps asks. */
function nameWidth({ steps }: RunRecord): number {
  const width = nameWidths.get(steps) ?? Math.min(36, Math.max(0, ...steps.map((s) => textWidth(s.id))))
  nameWidths.set(steps, width)
  return width
}

/** "59 min 59 s". */
const timeWidth = 11
