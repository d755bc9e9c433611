import type { Progress, Task } from "../core/progress.js"
import { toErrorRecord, type ErrorRecord } from "../core/errors.js"
import { faultLines } from "./fault.js"
import { tailLength } from "./fold.js"
import { duration, elapsed } from "./format.js"
import { spinner } from "./frame.js"
import { glyph, type Style } from "./style.js"
import { cleanLine, pad, textWidth, truncate } from "./width.js"

/** A task of core/progress.ts as a renderer keeps it. Times in milliseconds since 1970. */
export interface TaskState {
  readonly title: string
  readonly expectedSeconds: number | undefined
  readonly startedAt: number
  text: string
  fraction: number | undefined
  readonly tail: string[]
}

export interface TaskEnd {
  readonly at: number
  readonly note?: string | undefined
  readonly error?: ErrorRecord
}

/** Keeps the tasks and tells when they begin, move and end; how that looks is the caller's. */
export function trackTasks(
  now: () => number,
  on: {
    readonly started?: (task: TaskState) => void
    readonly changed?: (task: TaskState) => void
    readonly ended: (task: TaskState, end: TaskEnd) => void
  },
): Progress & { readonly running: ReadonlySet<TaskState> } {
  const running = new Set<TaskState>()
  return {
    running,
    task(title, options): Task {
      const state: TaskState = {
        title: cleanLine(title),
        expectedSeconds: options?.expectedSeconds,
        startedAt: now(),
        text: "",
        fraction: undefined,
        tail: [],
      }
      running.add(state)
      on.started?.(state)
      const end = (result: Omit<TaskEnd, "at">) => {
        // Whoever fails a task that is done already (a `finally` behind a `done`) is not heard twice.
        if (running.delete(state)) on.ended(state, { at: now(), ...result })
      }
      return {
        update(text, fraction) {
          state.text = cleanLine(text)
          state.fraction = fraction === undefined ? undefined : Math.min(1, Math.max(0, fraction))
          on.changed?.(state)
        },
        log(line) {
          state.tail.push(line)
          if (state.tail.length > tailLength) state.tail.shift()
        },
        done: (note) => end({ note: note === undefined ? undefined : cleanLine(note) }),
        fail: (error) => end({ error: toErrorRecord(error) }),
      }
    },
  }
}

/**
 * How far a task is: as it says itself, else guessed from how long it usually takes. A guess never says that it is done.
 */
export function taskFraction(
  task: TaskState,
  now: number,
): { readonly value: number; readonly guessed: boolean } | undefined {
  if (task.fraction !== undefined) return { value: task.fraction, guessed: false }
  if (task.expectedSeconds === undefined || task.expectedSeconds <= 0) return undefined
  return { value: Math.min(0.95, (now - task.startedAt) / (task.expectedSeconds * 1000)), guessed: true }
}

/** "45 %, 1 min 12 s of about 3 min". */
export function taskProgress(task: TaskState, now: number): string {
  const fraction = taskFraction(task, now)
  const expected = task.expectedSeconds === undefined ? "" : ` of about ${duration(task.expectedSeconds * 1000)}`
  // A guess from the clock says nothing that "elapsed of expected" does not.
  const done = fraction === undefined || fraction.guessed ? "" : `${Math.round(fraction.value * 100)} %, `
  return `${done}${elapsed(now - task.startedAt)}${expected}`
}

/** The live lines of the tasks that run: name, bar, time, what it does now, the last line of its own output. */
export function taskLines(
  tasks: Iterable<TaskState>,
  style: Style,
  columns: number,
  rows: number,
  now: number,
): string[] {
  const all = [...tasks]
  const shown = all.slice(0, Math.max(1, rows - 1))
  const width = Math.max(1, columns - 1)
  const titles = Math.min(Math.floor(width / 2), Math.max(0, ...shown.map((task) => textWidth(task.title))))
  const withLog = 2 * shown.length < rows
  const { colors } = style
  return [
    ...shown.flatMap((task) => {
      const title = pad(truncate(task.title, titles), titles)
      const bar = width - titles > 60 ? `${barOf(task, style, now)}  ` : ""
      const used = 2 + titles + 2 + textWidth(bar)
      const after = truncate(`${taskProgress(task, now)}${task.text === "" ? "" : `  ${task.text}`}`, width - used)
      const log = task.tail[task.tail.length - 1]
      return [
        `${spinner(style, now)} ${title}  ${bar}${colors.dim(after)}`,
        ...(withLog && log !== undefined ? [colors.dim(truncate(`  ${style.bar} ${cleanLine(log)}`, width))] : []),
      ]
    }),
    ...(shown.length < all.length ? [colors.dim(truncate(`  and ${all.length - shown.length} more`, width))] : []),
  ]
}

const barWidth = 20

function barOf(task: TaskState, style: Style, now: number): string {
  const fraction = taskFraction(task, now)
  if (fraction === undefined) return " ".repeat(barWidth)
  const full = Math.round(fraction.value * barWidth)
  const [done, rest] = style.unicode ? ["━", "─"] : ["=", "-"]
  const paint = fraction.guessed ? style.colors.blue : style.colors.cyan
  return paint(done.repeat(full)) + style.colors.dim(rest.repeat(barWidth - full))
}

/** What stays of a task in the scrollback or the log. */
export function taskEndLines(task: TaskState, end: TaskEnd, style: Style): string[] {
  const took = duration(end.at - task.startedAt)
  if (end.error === undefined) {
    return [
      `${glyph(style, "success")} ${task.title}  ${style.colors.dim(`${took}${end.note === undefined ? "" : `  ${end.note}`}`)}`,
    ]
  }
  const status = end.error.kind === "failed" ? "failed" : "errored"
  return [
    `${glyph(style, status)} ${task.title} ${status} after ${took}`,
    ...faultLines(end.error, { ...style, columns: style.columns - 2 }, task.tail).map((line) => `  ${line}`),
  ]
}
