import { cleanLine } from "../width.js"

/** How a CI system is told in a job's log what belongs together, and what a line must not say by accident. */
export interface Dialect {
  /** Starts a section that can be unfolded. @param at milliseconds since 1970 */
  open(id: string, header: string, at: number): string
  close(id: string, at: number): string
  /** A line of somebody else's, without what this CI system would take for a command. */
  line(text: string): string
  /** A line that the CI system shows outside of the log as well; undefined where there is no such thing. */
  annotate?(title: string, message: string): string
}

/**
 * GitLab: `\e[0Ksection_start:<unix seconds>:<name>[collapsed=true]\r\e[0K<header>` and `section_end`
 * (https://docs.gitlab.com/ci/jobs/job_logs/#create-custom-collapsible-sections). Whether a section is unfolded is said when it begins, so they
 * all begin folded; what went wrong is told behind them.
 */
export const gitlabDialect: Dialect = {
  open: (id, header, at) =>
    `\u001b[0Ksection_start:${seconds(at)}:${sectionName(id)}[collapsed=true]\r\u001b[0K${header}\n`,
  close: (id, at) => `\u001b[0Ksection_end:${seconds(at)}:${sectionName(id)}\r\u001b[0K\n`,
  // Without escapes and returns nothing can open or close a section.
  line: cleanLine,
}

/** Letters, digits, `_`, `.` and `-`. */
const sectionName = (id: string) => `gantry_${id.replace(/[^\w.-]/g, "_")}`
const seconds = (at: number) => Math.floor(at / 1000)

/**
 * GitHub: `::group::<title>`, `::endgroup::`, `::error title=…::<message>`
 * (https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands). A line that begins like a command, or has the old form of one in it, is broken up:
 * what a tool prints must not set variables or end the mask of a secret.
 */
export const githubDialect: Dialect = {
  open: (_, header) => `::group::${header}\n`,
  close: () => "::endgroup::\n",
  line: (text) =>
    cleanLine(text)
      .replace(/^(\s*):(?=:)/, "$1: ")
      .replaceAll("##[", "## ["),
  annotate: (title, message) => `::error title=${property(title)}::${data(message)}\n`,
}

const data = (text: string) => text.replaceAll("%", "%25").replaceAll("\r", "%0D").replaceAll("\n", "%0A")
const property = (text: string) => data(text).replaceAll(":", "%3A").replaceAll(",", "%2C")
