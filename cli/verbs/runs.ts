import { findProject } from "../../config/index.js"
import type { RunRecord } from "../../core/record.js"
import { pruneRuns } from "../../core/prune.js"
import { listRuns, openStore, readRun } from "../../core/store.js"
import { renderRuns } from "../../report/summary.js"
import { exitCodes } from "../exit.js"
import { printJson, dataOptions } from "../view.js"

/** `gantry runs`: the runs of the project, newest first; `--prune` removes old ones. */
export async function runs(
  cwd: string,
  options: { readonly json?: boolean; readonly limit: number; readonly prune?: number },
): Promise<number> {
  const store = openStore(await findProject(cwd))
  if (options.prune !== undefined) {
    const { removed, bytes } = await pruneRuns(store, options.prune)
    process.stderr.write(`Removed ${removed} runs, ${(bytes / 1e6).toFixed(0)} MB\n`)
    return exitCodes.ok
  }
  const records: RunRecord[] = []
  for (const id of (await listRuns(store)).slice(0, options.limit)) {
    try {
      records.push(await readRun(store, id))
    } catch {
      process.stderr.write(`run ${id} cannot be read\n`)
    }
  }
  if (options.json === true) printJson(records)
  else process.stdout.write(renderRuns(records, dataOptions()) + "\n")
  return exitCodes.ok
}
