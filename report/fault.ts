import type { ErrorRecord } from "../core/errors.js"
import { createStyle, paint, type Style, type TextOptions } from "./style.js"
import { clean, cleanLine, wrap } from "./width.js"

/**
 * An error for people: what went wrong, why, what to do now, and the last lines of the log.
 *
 *     TESTS-RED: 2 of 41 unit tests are red
 *       why   …
 *       now   …
 *
 * @param logTail Lines before the end of the step's log, oldest first.
 */
export function renderFault(
  error: ErrorRecord,
  options: TextOptions & { readonly logTail?: readonly string[] } = {},
): string {
  return faultLines(error, createStyle(options), options.logTail).join("\n")
}

/** The same as lines, for a renderer that puts something before each. */
export function faultLines(error: ErrorRecord, style: Style, logTail: readonly string[] = []): string[] {
  const { colors } = style
  const room = style.columns - labelWidth
  const { reason, frames } = splitReason(error)
  return [
    `${paint(style, statusOf(error), colors.bold(error.code))}: ${cleanLine(error.message)}`,
    ...(reason === undefined ? [] : labelled("why", reason, room, colors.dim)),
    ...(frames.length === 0 ? [] : labelled("where", frames.join("\n"), Infinity, colors.dim, colors.dim)),
    ...(logTail.length === 0
      ? []
      : labelled(
          "log",
          logTail.map((line) => `${style.bar} ${cleanLine(line)}`).join("\n"),
          Infinity,
          colors.dim,
          colors.dim,
        )),
    ...(error.hint === undefined ? [] : labelled("now", error.hint, room, colors.bold)),
  ]
}

/** Two spaces, a label of five letters at most, two spaces. */
const labelWidth = 9

function labelled(
  label: string,
  text: string,
  room: number,
  paintLabel: (t: string) => string,
  paintText: (t: string) => string = (t) => t,
): string[] {
  return clean(text)
    .trimEnd()
    .split("\n")
    .flatMap((line) => (room === Infinity ? [line] : wrap(line, room)))
    .map(
      (line, i) =>
        `  ${i === 0 ? paintLabel(label) : " ".repeat(label.length)}${" ".repeat(7 - label.length)}${paintText(line)}`,
    )
}

/** The cause in words, and the first frames of the stack that an unforeseen error carries in its reason. */
export function splitReason(error: ErrorRecord): {
  readonly reason: string | undefined
  readonly frames: readonly string[]
} {
  const lines = (error.reason ?? "").split("\n")
  const isFrame = (line: string) => /^\s+at .*(:\d+|native|anonymous)/.test(line)
  const frames = [...lines, ...(error.stack ?? "").split("\n")].filter(isFrame).map((line) => line.trim())
  const words = lines
    .filter((line) => !isFrame(line))
    .join("\n")
    .trim()
  // An unforeseen error says the same twice, as "Error: message" and as message.
  const repeated = words.replace(/^\w*Error: /, "") === error.message
  return { reason: words === "" || repeated ? undefined : words, frames: [...new Set(frames)].slice(0, 6) }
}

/** The status that an error of this kind gives a step. */
function statusOf(error: ErrorRecord) {
  switch (error.kind) {
    case "failed":
      return "failed"
    case "errored":
    case "usage":
      return "errored"
    case "waiting":
      return "waiting"
    case "cancelled":
      return "cancelled"
    default:
      return error.kind satisfies never
  }
}
