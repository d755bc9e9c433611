import type { Writable } from "node:stream"
import type { Progress } from "../core/progress.js"
import { clock, duration } from "./format.js"
import { liveArea, type LiveArea, type TerminalOut } from "./live.js"
import { createStyle, type TextOptions } from "./style.js"
import { taskEndLines, taskLines, taskProgress, trackTasks, type TaskState } from "./tasks.js"

/** Progress of what is not a step (provisioning) for people. `stop()` ends the drawing; tasks may be left unfinished. */
export interface ProgressRenderer extends Progress {
  stop(): void
}

export interface ProgressOptions extends TextOptions {
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

/** Milliseconds between two plain lines of one task. */
const plainPause = 10_000

/** Plain lines: one when a task begins, one at most every 10 s while it lasts, one when it ends. */
export function plainProgress(out: Writable, options: ProgressOptions = {}): ProgressRenderer {
  const style = createStyle(options)
  const now = options.now ?? Date.now
  const said = new Map<TaskState, number>()
  const say = (text: string) =>
    out.write(`${style.colors.dim(clock(new Date(now()).toISOString(), style.utc))}  ${text}\n`)
  const sayProgress = (task: TaskState) => {
    if (now() - (said.get(task) ?? 0) < plainPause) return
    said.set(task, now())
    say(`${task.title}: ${taskProgress(task, now())}${task.text === "" ? "" : `, ${task.text}`}`)
  }
  let timer: NodeJS.Timeout | undefined
  const rest = () => {
    clearInterval(timer)
    timer = undefined
  }
  const tasks = trackTasks(now, {
    started(task) {
      said.set(task, now())
      say(
        `${task.title} ${style.dot} started${
          task.expectedSeconds === undefined ? "" : `, takes about ${duration(task.expectedSeconds * 1000)}`
        }`,
      )
      // A task that says nothing for minutes is alive all the same, and the reader should see it.
      timer ??= setInterval(() => tasks.running.forEach(sayProgress), 1000).unref()
    },
    changed: sayProgress,
    ended(task, end) {
      said.delete(task)
      if (tasks.running.size === 0) rest()
      const [first = "", ...more] = taskEndLines(task, end, style)
      say([first, ...more.map((line) => `          ${line}`)].join("\n"))
    },
  })
  return { task: tasks.task, stop: rest }
}

/** Tasks drawn in place on a terminal; finished ones stay above. Nothing is drawn, and no cursor hidden, before the first. */
export function terminalProgress(out: TerminalOut, options: ProgressOptions = {}): ProgressRenderer {
  const now = options.now ?? Date.now
  const style = createStyle(options)
  let area: LiveArea | undefined
  const tasks = trackTasks(now, {
    started() {
      area ??= liveArea(out, ({ columns, rows }) => taskLines(tasks.running, style, columns, rows, now()))
    },
    ended: (task, end) => area?.print(taskEndLines(task, end, { ...style, columns: out.columns ?? style.columns })),
  })
  return { task: tasks.task, stop: () => area?.stop() }
}
