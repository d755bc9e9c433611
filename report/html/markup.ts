import { clean } from "../width.js"

/** HTML that is known to be safe. Only `markup` and `trusted` make it. */
export interface Html {
  readonly html: string
}

export type Part = Html | string | number | undefined | readonly Part[]

/**
 * Template tag: everything that is put in is escaped, whether it lands in text or in a quoted attribute; only what is Html
 * already goes in as it is. Titles of findings, names of tests and lines of logs are hostile input.
 */
export function markup(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  let html = strings[0] ?? ""
  for (const [i, part] of parts.entries()) html += render(part) + (strings[i + 1] ?? "")
  return { html }
}

/** For what was written here by hand: styles, scripts. Never for data. */
export const trusted = (html: string): Html => ({ html })

function render(part: Part): string {
  if (part === undefined) return ""
  if (typeof part === "number") return String(part)
  if (typeof part === "string") return escapeHtml(part)
  if ("html" in part) return part.html
  return part.map(render).join("")
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
}

/** Escaped for text and quoted attributes; control characters and marks that turn the direction of text are dropped. */
export function escapeHtml(text: string): string {
  return clean(text).replace(/[&<>"']/g, (character) => entities[character] ?? "")
}

/** An address from a report as a link, if it is one that a browser may follow; else as text. */
export function link(url: string, text: Part = url): Html {
  return /^https?:\/\/[^\s]+$/i.test(url) ? markup`<a href="${url}" rel="noreferrer">${text}</a>` : markup`${text}`
}

/** A file of the run, relative to the report, which lies in the run's folder. */
export function fileHref(path: string): string {
  return `./${path.split("/").map(encodeURIComponent).join("/")}`
}
