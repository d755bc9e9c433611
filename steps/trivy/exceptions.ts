import { readFile } from "node:fs/promises"
import { isSeq, LineCounter, parseDocument, type Node } from "yaml"
import { z } from "zod"
import { fault } from "../../core/errors.js"

/** Whether the calendar has the day: Date itself takes 31 February for 3 March. */
function isDay(text: string): boolean {
  const date = new Date(`${text}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(text)
}

/** A finding that somebody answers for, for a while. */
const exception = z.strictObject({
  /** CVE, GHSA, secret rule or check id, as the report names it. */
  id: z.string().min(1),
  /** Who answers for it: a person or a team. */
  owner: z.string().min(1),
  /** Why it is acceptable, for the one who asks in a year. */
  reason: z.string().min(1),
  /** Last day on which it holds, YYYY-MM-DD (UTC). */
  expires: z
    .string()
    .regex(/^\d{4}-\d{2}-\d{2}$/, "a date, YYYY-MM-DD")
    .refine(isDay, "a day that exists"),
  /** Only for this package; default: wherever the id is found. */
  package: z.string().min(1).optional(),
  /** Only for this service; default: all. */
  service: z.string().min(1).optional(),
})
export type Exception = z.output<typeof exception>

/**
 * Reads the exceptions of a project: a YAML list. No file means no exceptions; a broken file never means none.
 * @param file absolute path
 * @param name what errors call it: the path that the author knows
 * @throws TRIVY-EXCEPTIONS naming file, line and field
 */
export async function readExceptions(file: string, name: string = file): Promise<readonly Exception[]> {
  let text: string
  try {
    text = await readFile(file, "utf8")
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return []
    throw malformed(name, `it cannot be read: ${(error as Error).message}`, error)
  }
  return parseExceptions(text, name)
}

/** The text of an exceptions file. @param name what errors call it @throws TRIVY-EXCEPTIONS */
export function parseExceptions(text: string, name: string): readonly Exception[] {
  const lines = new LineCounter()
  // Dates stay text: YAML's core schema has no timestamps, so "2026-12-31" is what the author wrote.
  const document = parseDocument(text, { lineCounter: lines })
  const broken = document.errors[0]
  if (broken !== undefined) {
    throw malformed(`${name}:${lines.linePos(broken.pos[0]).line}`, broken.message.split("\n")[0] ?? "not YAML")
  }
  if (document.contents === null) return []
  const root = document.contents
  if (!isSeq(root))
    throw malformed(`${name}:1`, "it is not a list; each exception is an entry that starts with `- id:`")
  const parsed = z.array(exception).safeParse(document.toJS())
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const path = (issue?.path ?? []) as (string | number)[]
  // A missing field has no node of its own: then its entry's line is named.
  const node = (document.getIn(path, true) ?? document.getIn(path.slice(0, 1), true)) as Node | undefined
  const line = lines.linePos(node?.range?.[0] ?? 0).line
  const entry = root.items.indexOf(root.items[Number(path[0])]!) + 1
  const field = path.slice(1).join(".")
  throw malformed(
    `${name}:${line}`,
    `entry ${entry}${field === "" ? "" : `, field "${field}"`}: ${issue?.message ?? "not an exception"}`,
  )
}

function malformed(where: string, reason: string, cause?: unknown): Error {
  return fault({
    code: "TRIVY-EXCEPTIONS",
    kind: "usage",
    message: `The scan's exceptions are malformed: ${where}`,
    reason,
    hint: "Each entry has id, owner, reason and expires (YYYY-MM-DD), and may have package and service. Nothing was scanned.",
    cause,
  })
}
