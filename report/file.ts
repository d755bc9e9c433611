import { open } from "node:fs/promises"
import { join } from "node:path"
import { writeDurably } from "../core/files.js"
import type { RunRecord } from "../core/record.js"
import { renderHtml, type HtmlOptions } from "./html.js"
import { renderJunit } from "./junit.js"

/** Lines of each log that the page shows; the whole of it is a link away. */
const linesShown = 60
/** Bytes read from the end of a log: enough for that many lines of usual length. */
const bytesRead = 16_384

/**
 * Writes `report.html` and `junit.xml` into the folder of a run.
 * @param runDir Absolute folder of the run.
 * @returns Absolute path of the page.
 * @throws DISK-FULL, FILE-DENIED
 */
export async function writeReports(
  runDir: string,
  record: RunRecord,
  options: Omit<HtmlOptions, "logTails"> = {},
): Promise<string> {
  const logTails = await readLogTails(runDir, record)
  const page = join(runDir, "report.html")
  await writeDurably(page, renderHtml(record, { ...options, logTails }))
  await writeDurably(join(runDir, "junit.xml"), renderJunit(record, options.now))
  return page
}

/** The last lines of the log of each step that has one. */
export async function readLogTails(runDir: string, record: RunRecord): Promise<Map<string, readonly string[]>> {
  const tails = new Map<string, readonly string[]>()
  for (const step of record.steps) {
    if (step.startedAt === undefined) continue
    const lines = await lastLines(join(runDir, "steps", step.id, "log.txt"))
    if (lines.length > 0) tails.set(step.id, lines)
  }
  return tails
}

async function lastLines(path: string): Promise<readonly string[]> {
  // A step that logged nothing has no log; neither has one whose log was removed to save space.
  const file = await open(path, "r").catch(() => undefined)
  if (file === undefined) return []
  try {
    const { size } = await file.stat()
    const start = Math.max(0, size - bytesRead)
    const buffer = Buffer.alloc(size - start)
    const { bytesRead: got } = await file.read(buffer, 0, buffer.length, start)
    const lines = buffer.toString("utf8", 0, got).replace(/\n$/, "").split("\n")
    // The first one is cut where reading began.
    return (start > 0 ? lines.slice(1) : lines).slice(-linesShown)
  } finally {
    await file.close()
  }
}
