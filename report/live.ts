import { textWidth } from "./width.js"

/** A terminal as far as a live view needs one: `process.stderr` is one. */
export interface TerminalOut {
  write(text: string): unknown
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  /** True while the terminal has not taken the last frame yet (a slow line): then frames are left out. */
  readonly writableNeedDrain?: boolean | undefined
  on?(event: "resize", listener: () => void): unknown
  off?(event: "resize", listener: () => void): unknown
}

export interface Size {
  readonly columns: number
  readonly rows: number
}

/** The last lines of the screen, drawn over again in place. What is printed goes above them and stays in the scrollback. */
export interface LiveArea {
  /** Lines for the scrollback; written with the next frame. */
  print(lines: readonly string[]): void
  /** Draws now, whatever the clock says. */
  flush(): void
  /** Takes the live lines away and gives the cursor back, e.g. to ask a question. */
  suspend(): void
  resume(): void
  /** Writes what is left, takes the live lines away, restores the cursor. May be called again. */
  stop(): void
}

const esc = "\x1b["
const hideCursor = `${esc}?25l`
const showCursor = `${esc}?25h`
// Without wrapping a line that is wider than measured is cut by the terminal, and the rows still add up.
const noWrap = `${esc}?7l`
const doWrap = `${esc}?7h`
// Synchronised output (https://gist.github.com/christianparpart/d8a62cc1ab659194337d73e399004036): the terminal shows a
// frame whole; one that does not know the mode ignores it.
const beginFrame = `${esc}?2026h`
const endFrame = `${esc}?2026l`

/**
 * @param draw The live lines for a terminal of this size; called once a frame. Each fits into `columns - 1`.
 * @param interval Milliseconds between frames, default 100. The timer keeps no process alive.
 */
export function liveArea(out: TerminalOut, draw: (size: Size) => readonly string[], interval = 100): LiveArea {
  let shown: readonly string[] = []
  let pending: string[] = []
  let active = false
  const size = (): Size => ({ columns: out.columns ?? 80, rows: out.rows ?? 24 })
  let drawnFor = size()

  /** Rows that the live lines take now: after the terminal became narrower, it has broken them itself. */
  const rowsShown = (columns: number) =>
    shown.reduce((sum, line) => sum + Math.max(1, Math.ceil(textWidth(line) / columns)), 0)

  const toTop = (columns: number) => {
    const rows = rowsShown(columns)
    return rows > 1 ? `\r${esc}${rows - 1}A` : "\r"
  }
  const frame = (lines: readonly string[]) => {
    const now = size()
    const resized = now.columns !== drawnFor.columns || now.rows !== drawnFor.rows
    if (!resized && pending.length === 0 && same(lines, shown)) return
    const printed = pending.map((line) => `${line}\n`).join("")
    const wipe = printed !== "" || resized ? `${esc}J` : ""
    const live = lines.map((line) => `${line}${esc}K`).join("\n")
    out.write(`${beginFrame}${toTop(now.columns)}${wipe}${printed}${noWrap}${live}${esc}J${doWrap}${endFrame}`)
    pending = []
    shown = lines
    drawnFor = now
  }
  const tick = () => {
    if (out.writableNeedDrain === true) return
    const { columns, rows } = size()
    // One row is left free: a full screen would scroll with each frame.
    frame(draw({ columns, rows }).slice(-Math.max(1, rows - 1)))
  }
  let timer: NodeJS.Timeout | undefined
  const leave = () => {
    if (!active) return
    active = false
    clearInterval(timer)
    out.off?.("resize", tick)
    process.off("exit", leave)
    frame([])
    out.write(showCursor)
  }
  const enter = () => {
    if (active) return
    active = true
    out.write(hideCursor)
    timer = setInterval(tick, interval)
    timer.unref()
    out.on?.("resize", tick)
    process.on("exit", leave)
  }
  let stopped = false
  enter()
  return {
    print(lines) {
      if (active) pending.push(...lines)
      else for (const line of lines) out.write(`${line}\n`)
    },
    flush: () => (active ? tick() : undefined),
    suspend: leave,
    resume: () => (stopped ? undefined : enter()),
    stop() {
      stopped = true
      leave()
    },
  }
}

const same = (a: readonly string[], b: readonly string[]) =>
  a.length === b.length && a.every((line, i) => line === b[i])
