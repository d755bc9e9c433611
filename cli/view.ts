import type { RunRecord } from "../core/record.js"
import type { RunEvent, Stamped } from "../core/events.js"
import { plainRenderer } from "../report/plain.js"
import { plainProgress, terminalProgress, type ProgressRenderer } from "../report/progress.js"
import { wantsColor, wantsUnicode, type TextOptions } from "../report/style.js"
import { terminalRenderer, type View } from "../report/terminal.js"

/** A person sits at a terminal: live view and questions. Never with CI, never when either end is a pipe. */
export function isInteractive(): boolean {
  return process.stderr.isTTY === true && process.env["CI"] === undefined && process.env["TERM"] !== "dumb"
}

export function mayAsk(): boolean {
  return isInteractive() && process.stdin.isTTY === true
}

/** How texts look on standard error. `NO_COLOR` and `FORCE_COLOR` as everywhere; ASCII where the locale has no more. */
export function textOptions(): TextOptions {
  return { color: wantsColor(process.stderr), unicode: wantsUnicode(), columns: process.stderr.columns }
}

/** How data looks on standard output. In a pipe nothing is cut: somebody searches it. */
export function dataOptions(): TextOptions {
  const columns = process.stdout.isTTY === true ? process.stdout.columns : Infinity
  return { color: wantsColor(process.stdout), unicode: wantsUnicode(), columns }
}

/** The view of a run: live on a terminal, plain lines elsewhere; with `json` the events go to standard output. */
export function openView(options: {
  readonly json: boolean
  readonly record?: RunRecord | undefined
  readonly html?: string
}): View {
  if (options.json) return jsonView()
  const shared = { ...textOptions(), record: options.record, html: options.html }
  return isInteractive() ? terminalRenderer(process.stderr, shared) : plainView(shared)
}

function plainView(options: TextOptions & { readonly record?: RunRecord | undefined }): View {
  const render = plainRenderer(process.stderr, options)
  const progress = plainProgress(process.stderr, options)
  return {
    event: render,
    progress,
    print: (text) => void process.stderr.write(text + "\n"),
    suspend: () => undefined,
    resume: () => undefined,
    stop: () => progress.stop(),
  }
}

function jsonView(): View {
  const progress = plainProgress(process.stderr, textOptions())
  return {
    event: (event: Stamped<RunEvent>) => void process.stdout.write(JSON.stringify(event) + "\n"),
    progress,
    print: (text) => void process.stderr.write(text + "\n"),
    suspend: () => undefined,
    resume: () => undefined,
    stop: () => progress.stop(),
  }
}

/** Progress of provisioning outside a run (`gantry stack up`, the demo). */
export function openProgress(): ProgressRenderer {
  return isInteractive()
    ? terminalProgress(process.stderr, textOptions())
    : plainProgress(process.stderr, textOptions())
}

export function printJson(value: unknown): void {
  process.stdout.write(JSON.stringify(value, null, 2) + "\n")
}
