import { readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { JobSummary } from "../../report/ci/summary.js"

/** Name of the job, and of its folder in `.gantry/ci/`, that says what became of all the others. */
export const feedbackJob = "feedback"

export interface ReadSummaries {
  readonly summaries: readonly JobSummary[]
  /** What could not be read, and why: those jobs are missing in what is told. */
  readonly unread: readonly string[]
}

/** What the jobs of a pipeline left in `.gantry/ci/<job>/summary.json`. @param run only of this run: others are leftovers */
export async function readSummaries(root: string, run: string): Promise<ReadSummaries> {
  const dir = join(root, ".gantry", "ci")
  const entries = await readdir(dir, { withFileTypes: true }).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return []
    throw cause
  })
  const summaries: JobSummary[] = []
  const unread: string[] = []
  for (const { name } of entries.filter((entry) => entry.isDirectory() && entry.name !== feedbackJob)) {
    const read = parseSummary(await readFile(join(dir, name, "summary.json"), "utf8").catch(() => ""))
    if (typeof read === "string") unread.push(`${name}: ${read}`)
    else if (read.run === run) summaries.push(read)
  }
  return { summaries, unread }
}

/** A summary out of its text; a text why it is none. */
export function parseSummary(text: string): JobSummary | string {
  try {
    const parsed = JobSummary.safeParse(JSON.parse(text))
    if (parsed.success) return parsed.data
    const issue = parsed.error.issues[0]
    return `${issue?.path.join(".") || "the whole"}: ${issue?.message ?? "not as expected"}`
  } catch (error) {
    return text === "" ? "there is no summary.json" : (error as Error).message
  }
}
