import type { Writable } from "node:stream"
import type { TerminalOut } from "./live.js"
import { plainRenderer, type PlainOptions } from "./plain.js"
import { plainProgress } from "./progress.js"
import { wantsColor, wantsUnicode } from "./style.js"
import { terminalRenderer, type View } from "./terminal.js"

/**
 * The view that fits where the output goes: drawn in place on a terminal that a person sits at, plain lines elsewhere.
 * Colours and glyphs follow NO_COLOR, FORCE_COLOR, TERM and the locale unless the options say otherwise.
 */
export function openView(
  out: Writable & TerminalOut & { readonly isTTY?: boolean },
  options: PlainOptions & { readonly env?: Readonly<Record<string, string | undefined>> } = {},
): View {
  const env = options.env ?? process.env
  const text = {
    ...options,
    color: options.color ?? wantsColor(out, env),
    unicode: options.unicode ?? wantsUnicode(env),
  }
  if (isInteractive(out, env)) return terminalRenderer(out, text)
  const event = plainRenderer(out, text)
  const progress = plainProgress(out, text)
  return {
    event,
    progress,
    print: (message) => void out.write(`${message}\n`),
    suspend: () => undefined,
    resume: () => undefined,
    stop: progress.stop,
  }
}

/** A terminal, with somebody at it who can read what moves. */
export function isInteractive(
  out: { readonly isTTY?: boolean | undefined },
  env: Readonly<Record<string, string | undefined>> = process.env,
): boolean {
  const ci = env["CI"]
  return out.isTTY === true && env["TERM"] !== "dumb" && (ci === undefined || ci === "" || ci === "false")
}
