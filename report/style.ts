import pc from "picocolors"
import type { RunStatus, StepStatus } from "../core/events.js"

/** What every renderer of text can be told. */
export interface TextOptions {
  /** Colours as ANSI sequences. Default false. */
  readonly color?: boolean | undefined
  /** Glyphs beyond ASCII. Default true. */
  readonly unicode?: boolean | undefined
  /** Columns that a line may take. Default 120. */
  readonly columns?: number | undefined
  /** Times in UTC instead of the machine's zone. Default false. */
  readonly utc?: boolean | undefined
  /** How the reader calls Gantry, for the commands that are shown. Default "gantry". */
  readonly command?: string | undefined
}

export interface Style {
  readonly colors: ReturnType<typeof pc.createColors>
  readonly unicode: boolean
  readonly columns: number
  readonly utc: boolean
  readonly command: string
  /** Between a step's name and a line of its log. */
  readonly bar: string
  readonly dot: string
  readonly arrow: string
  readonly rule: string
}

export function createStyle(options: TextOptions = {}): Style {
  const unicode = options.unicode ?? true
  return {
    colors: pc.createColors(options.color ?? false),
    unicode,
    columns: options.columns ?? 120,
    utc: options.utc ?? false,
    command: options.command ?? "gantry",
    bar: unicode ? "│" : "|",
    dot: unicode ? "·" : "-",
    arrow: unicode ? "→" : "->",
    rule: unicode ? "─" : "-",
  }
}

type Status = StepStatus | RunStatus

// Ambiguously wide and emoji glyphs are avoided: terminals of Chinese systems draw them over two columns.
const glyphs: Readonly<Record<Status, readonly [string, string]>> = {
  pending: [".", "."],
  running: [">", ">"],
  success: ["✓", "+"],
  failed: ["✗", "x"],
  errored: ["!", "!"],
  skipped: ["-", "-"],
  cancelled: ["⊘", "o"],
  waiting: ["?", "?"],
}

/** One character, different for each status: colour is never the only sign. */
export function glyph(style: Style, status: Status): string {
  return paint(style, status, glyphs[status][style.unicode ? 0 : 1])
}

/** Colours a text by status. */
export function paint(style: Style, status: Status, text: string): string {
  const { colors } = style
  switch (status) {
    case "success":
      return colors.green(text)
    case "failed":
      return colors.red(text)
    case "errored":
      return colors.magenta(text)
    case "waiting":
      return colors.yellow(text)
    case "running":
      return colors.cyan(text)
    case "pending":
    case "skipped":
    case "cancelled":
      return colors.dim(text)
    default:
      return status satisfies never
  }
}

/** NO_COLOR and FORCE_COLOR (https://no-color.org, https://force-color.org) decide before what the stream is. */
export function wantsColor(
  out: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  if (env["NO_COLOR"] !== undefined && env["NO_COLOR"] !== "") return false
  if (env["FORCE_COLOR"] !== undefined) return !["", "0", "false"].includes(env["FORCE_COLOR"])
  return out.isTTY === true && env["TERM"] !== "dumb"
}

/** Where the locale is known not to be UTF-8, or the console has few glyphs, plain ASCII is used. */
export function wantsUnicode(env: Readonly<Record<string, string | undefined>> = process.env): boolean {
  if (env["TERM"] === "linux" || env["TERM"] === "dumb") return false
  const locale = [env["LC_ALL"], env["LC_CTYPE"], env["LANG"]].find((value) => value !== undefined && value !== "")
  return locale === undefined || /utf-?8/i.test(locale)
}
