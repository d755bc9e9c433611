import type { Writable } from "node:stream"
import type { RunEvent, Stamped, StepFinished } from "../core/events.js"
import type { RunRecord } from "../core/record.js"
import { closingLines } from "./closing.js"
import { describeReport, reportDetails } from "./describe.js"
import { faultLines } from "./fault.js"
import { createFold } from "./fold.js"
import { bytes, clock, duration, plural, shortCommit } from "./format.js"
import { createStyle, glyph, paint, type Style, type TextOptions } from "./style.js"
import { stepDuration } from "./timing.js"
import { cleanLine, pad, textWidth } from "./width.js"

export interface PlainOptions extends TextOptions {
  /** Lines of the steps' logs. Default true. */
  readonly logs?: boolean
  /** The run as an earlier process left it, when it is resumed. */
  readonly record?: RunRecord | undefined
  /** Ids of the steps that the closing table is about. Default: all. */
  readonly own?: ReadonlySet<string> | undefined
  /** Path of the HTML report that is written at the end. */
  readonly html?: string | undefined
}

/**
 * Plain lines for CI and for whoever has no terminal: one line per event, time first, then the step, then what happened.
 * At the end stand the table of the steps, why it is red and what to do.
 */
export function plainRenderer(out: Writable, options: PlainOptions = {}): (event: Stamped<RunEvent>) => void {
  const style = createStyle(options)
  const fold = createFold(options.record)
  let nameWidth = widestName(options.record?.steps.map((step) => step.id) ?? [])
  return (event) => {
    if (event.type === "run-started") nameWidth = widestName(event.steps.map((step) => step.id))
    fold.apply(event)
    if (event.type === "step-logged" && options.logs === false) return
    const time = style.colors.dim(clock(event.at, style.utc))
    const name = "step" in event ? `${pad(event.step, nameWidth)}  ` : ""
    const [first, ...rest] = eventLines(event, fold, style)
    const lines: string[] = []
    if (first !== undefined)
      lines.push(`${time}  ${event.type === "step-logged" ? style.colors.dim(name) : name}${first}`)
    // 8 columns of the time, 2 of the gap: what belongs to a line stands under its step.
    lines.push(...rest.map((line) => `${" ".repeat(10 + (name === "" ? 0 : 2))}${line}`))
    if (event.type === "run-finished" && fold.state.record !== undefined) {
      lines.push(
        "",
        ...closingLines(ownSteps(fold.state.record, options.own), {
          ...options,
          now: Date.parse(event.at),
          logTails: fold.redTails,
        }),
      )
    }
    if (lines.length > 0) out.write(lines.join("\n") + "\n")
  }
}

/** A record with the steps of one part of it. */
export function ownSteps(record: RunRecord, own: ReadonlySet<string> | undefined): RunRecord {
  return own === undefined ? record : { ...record, steps: record.steps.filter((step) => own.has(step.id)) }
}

/** Names stand in a column; a very long one may stick out. */
const widestName = (ids: readonly string[]) => Math.min(36, Math.max(0, ...ids.map(textWidth)))

/** What an event is told in, without time and step. The first line stands for it, the others belong to it. */
export function eventLines(
  event: Stamped<RunEvent>,
  fold: ReturnType<typeof createFold>,
  style: Style,
): readonly string[] {
  const { colors } = style
  switch (event.type) {
    case "run-started": {
      const services = event.services.length === 0 ? "" : ` of ${event.services.join(", ")}`
      const commit = `commit ${shortCommit(event.commit)}${event.dirty ? " with the work tree's changes" : ""}`
      return [
        `${colors.bold(event.pipeline)}${services}, ${commit}, ${plural(event.steps.length, "step")}; run ${event.run}`,
      ]
    }
    case "run-resumed": {
      const record = fold.state.record
      if (record === undefined) return ["run resumed"]
      const done = record.steps.filter((s) => s.status === "success").length
      return [
        `${colors.bold(record.pipeline)}, run ${record.id} goes on: ${done} of ${plural(record.steps.length, "step")} done`,
      ]
    }
    case "step-started":
      return [`${glyph(style, "running")} started${event.attempt > 1 ? `, attempt ${event.attempt}` : ""}`]
    case "effect-started":
      return [colors.dim(`effect ${cleanLine(event.key)}`)]
    case "step-retried":
      return [
        `${glyph(style, "errored")} attempt ${event.attempt} errored, the next one in ${duration(event.delay)}`,
        ...faultLines(event.error, style),
      ]
    case "step-reported":
      return [describeReport(event.report), ...reportDetails(event.report).map((l) => `${colors.dim(style.bar)} ${l}`)]
    case "artifact-kept":
      return [colors.dim(`kept ${cleanLine(event.artifact.path)} (${bytes(event.artifact.size)})`)]
    case "step-finished":
      return finishedLines(event, fold, style)
    case "step-imported": {
      const { status, reason } = event.record
      const why = reason === undefined ? "" : `: ${cleanLine(reason)}`
      return [colors.dim(`${glyph({ ...style, colors: createStyle().colors }, status)} ${status} in another job${why}`)]
    }
    case "step-logged":
      return [`${colors.dim(style.bar)} ${cleanLine(event.line)}`]
    case "run-finished":
      return [`${glyph(style, event.status)} ${paint(style, event.status, `run ${event.status}`)}`]
    default:
      return event satisfies never
  }
}

function finishedLines(event: StepFinished, fold: ReturnType<typeof createFold>, style: Style): readonly string[] {
  const step = fold.state.index.get(event.step)
  const took = step === undefined || event.cached || event.status === "skipped" ? undefined : stepDuration(step)
  const after = { success: "in", failed: "after", errored: "after", cancelled: "after", waiting: "after", skipped: "" }
  const head = [
    `${glyph(style, event.status)} ${paint(style, event.status, event.cached ? "success, cached" : event.status)}`,
    ...(took === undefined ? [] : [` ${after[event.status]} ${duration(took)}`]),
    ...(event.reason === undefined ? [] : [`: ${cleanLine(event.reason)}`]),
  ].join("")
  const tail = event.status === "failed" || event.status === "errored" ? fold.tail(event.step) : []
  return [head, ...(event.error === undefined ? [] : faultLines(event.error, style, tail))]
}
