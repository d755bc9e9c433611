import { join } from "node:path"
import { writeDurably } from "../core/files.js"
import type { RunRecord } from "../core/record.js"
import { readLog, type Store } from "../core/store.js"

/** Lines of each red step's log that the report shows; the whole log is a link. */
const tail = 60

/** Writes the HTML report of a run beside its record. @returns its path */
export async function writeReport(store: Store, record: RunRecord): Promise<string> {
  const { renderHtml } = await import("../report/html.js")
  const logs = new Map<string, readonly string[]>()
  for (const s of record.steps) {
    const text = await readLog(store, record.id, s.id)
    if (text !== undefined) logs.set(s.id, text.trimEnd().split("\n").slice(-tail))
  }
  const path = join(store.runDir(record.id), "report.html")
  await writeDurably(path, renderHtml(record, { logTails: logs }))
  return path
}
