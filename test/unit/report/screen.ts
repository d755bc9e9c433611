import { EventEmitter } from "node:events"
import xterm from "@xterm/headless"
import type { TerminalOut } from "../../../report/live.js"

/** A real terminal without a screen: what it shows, what scrolled off, where the cursor is, and each write that it got. */
export function openScreen(columns: number, rows: number) {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 2000,
    allowProposedApi: true,
    convertEol: true,
  })
  const events = new EventEmitter()
  const writes: string[] = []
  const size = { columns, rows, slow: false }
  const out = {
    get columns() {
      return size.columns
    },
    get rows() {
      return size.rows
    },
    get writableNeedDrain() {
      return size.slow
    },
    write(text: string) {
      writes.push(text)
      terminal.write(text)
      return true
    },
    on: (event: "resize", listener: () => void) => events.on(event, listener),
    off: (event: "resize", listener: () => void) => events.off(event, listener),
  } satisfies TerminalOut
  const settled = () => new Promise<void>((resolve) => terminal.write("", resolve))
  return {
    out,
    writes,
    size,
    listeners: () => events.listenerCount("resize"),
    async resize(columns: number, rows: number) {
      await settled()
      terminal.resize(columns, rows)
      Object.assign(size, { columns, rows })
      events.emit("resize")
    },
    /** Everything from the first line of the scrollback to the last one with something on it. */
    async lines(): Promise<string[]> {
      await settled()
      const { active } = terminal.buffer
      const lines = Array.from({ length: active.length }, (_, i) => active.getLine(i)?.translateToString(true) ?? "")
      while (lines.length > 0 && lines[lines.length - 1] === "") lines.pop()
      return lines
    },
    async cursor() {
      await settled()
      return { x: terminal.buffer.active.cursorX, y: terminal.buffer.active.cursorY + terminal.buffer.active.baseY }
    },
    /** As the last sequences said. */
    cursorShown: () => writes.join("").lastIndexOf("\u001b[?25h") > writes.join("").lastIndexOf("\u001b[?25l"),
  }
}
