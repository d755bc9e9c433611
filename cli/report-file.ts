import type { RunRecord } from "../core/record.js"
import type { Store } from "../core/store.js"

/** Writes the HTML report and the JUnit file of a run beside its record. @returns path of the HTML report */
export async function writeReport(store: Store, record: RunRecord): Promise<string> {
  const { writeReports } = await import("../report/file.js")
  return writeReports(store.runDir(record.id), record)
}
