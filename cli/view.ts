import type { RunRecord } from "../core/record.js"
import type { RunEvent, Stamped } from "../core/events.js"
import { jobLogRenderer } from "../report/gitlab-log.js"
import { plainRenderer, type PlainOptions } from "../report/plain.js"
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
  /** The CI job that this process is: its own steps, and whose log it is. */
  readonly job?: JobView | undefined
}): View {
  if (options.json) return jsonView()
  const { job, record, html } = options
  const shared = { ...textOptions(), record, html, ...(job === undefined ? {} : { own: job.own }) }
  if (job?.host === undefined) return isInteractive() ? terminalRenderer(process.stderr, shared) : plainView(shared)
  // Their logs show colours although they are no terminals, and nobody looks at them in a terminal of 80 columns.
  const color = process.env["NO_COLOR"] === undefined || process.env["NO_COLOR"] === ""
  const text = { ...shared, color, unicode: true, columns: 160 }
  return plainView(text, jobLogRenderer(process.stderr, { ...text, host: job.host, job: job.name, own: job.own }))
}

/** What of a run a CI job is about, for its view. */
export interface JobView {
  readonly name: string
  readonly own: ReadonlySet<string>
  /** Undefined: plain lines, as everywhere else. */
  readonly host: "gitlab" | "github" | undefined
}

function plainView(
  options: PlainOptions,
  render: (event: Stamped<RunEvent>) => void = plainRenderer(process.stderr, options),
): View {
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
