import { createHash } from "node:crypto"

export interface GeneratedFile {
  /** Relative to the project. */
  readonly path: string
  readonly text: string
}

const headerPattern = /^# Made by `(gantry generate [^`]+)`[^\n]*\n(?:# [^\n]*\n)*?# sha256:([0-9a-f]{64})\n\n/

/** Puts in front of a text which command makes it, and the hash of what follows: whoever edits it by hand is found out. */
export function withHeader(command: string, body: string): string {
  return (
    `# Made by \`${command}\`; do not edit: your changes would be lost.\n` +
    `# Change gantry.config.ts or the pipeline, and run it again; \`${command} --check\` shows what differs.\n` +
    `# sha256:${hashOf(body)}\n\n${body}`
  )
}

/** What a file on disk is: `ours` as it was made, `edited` by hand afterwards, `foreign` somebody else's. */
export function originOf(text: string): "ours" | "edited" | "foreign" {
  const unix = text.replace(/\r\n/g, "\n")
  const header = headerPattern.exec(unix)
  if (header === null) return /^# Made by `gantry generate /.test(unix) ? "edited" : "foreign"
  return hashOf(unix.slice(header[0].length)) === header[2] ? "ours" : "edited"
}

function hashOf(body: string): string {
  return createHash("sha256").update(body).digest("hex")
}
