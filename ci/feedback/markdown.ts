/** What others wrote (test messages, names of people) as Markdown that shows it and does nothing else. */

/** In one line, as code: a mention in it notifies nobody, a link in it leads nowhere. */
export function code(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, " ").trim()
  const ticks = "`".repeat(1 + longestRun(line))
  const space = line.startsWith("`") || line.endsWith("`") || line === "" ? " " : ""
  // A bar ends the cell of a table even in code.
  return `${ticks}${space}${line.replaceAll("|", "\\|")}${space}${ticks}`
}

/** As a block, cut to so many characters. */
export function block(text: string, longest: number): string {
  const clean = text.replace(/[^\P{Cc}\n\t]/gu, "")
  const shown = clean.length > longest ? `${clean.slice(0, longest)}\n…` : clean
  const fence = "`".repeat(Math.max(3, 1 + longestRun(shown)))
  return `${fence}text\n${shown.trimEnd()}\n${fence}`
}

/** Only an address of the web becomes a link. */
export function link(text: string, url: string | undefined): string {
  const label = text.replace(/[\\[\]<>`*_|@]/g, "\\$&")
  return url !== undefined && /^https?:\/\/[^\s()<>|]+$/.test(url) ? `[${label}](${url})` : label
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`
  return [line(head), line(head.map(() => "---")), ...rows.map(line)].join("\n")
}

export function folded(title: string, body: string): string {
  return `<details><summary>${title.replace(/[<>&]/g, "")}</summary>\n\n${body}\n\n</details>`
}

function longestRun(text: string): number {
  return Math.max(0, ...[...text.matchAll(/`+/g)].map(([run]) => run.length))
}
