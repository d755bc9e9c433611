import type { ErrorRecord } from "../../core/errors.js"
import { splitReason } from "../fault.js"
import { markup, type Html, type Part } from "./markup.js"

/** An error for people: code, message, why, what to do now. */
export function faultHtml(error: ErrorRecord, status: string): Html {
  const { reason, frames } = splitReason(error)
  return markup`<div class="fault ${status}"><div><span class="code ${status}">${error.code}</span> ${error.message}</div><dl>${
    reason === undefined ? undefined : markup`<dt>Why</dt><dd>${reason}</dd>`
  }${frames.length === 0 ? undefined : markup`<dt>Where</dt><dd class="mono">${frames.join("\n")}</dd>`}${
    error.hint === undefined ? undefined : markup`<dt>Now</dt><dd class="hint">${withCode(error.hint)}</dd>`
  }</dl></div>\n`
}

/** Commands stand between backticks in hints. */
function withCode(text: string): readonly Part[] {
  return text.split("`").map((part, i) => (i % 2 === 1 ? markup`<code>${part}</code>` : part))
}
