import { readFile } from "node:fs/promises"
import { findProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { RunRecord } from "../../core/record.js"
import { findRun, openStore, readRun, type Store } from "../../core/store.js"
import { compareRuns } from "../../report/parity.js"
import { renderParity } from "../../report/parity-text.js"
import { exitCodes } from "../exit.js"
import { dataOptions, printJson } from "../view.js"

/** `gantry parity <runA> <runB>`: whether two runs did the same, and what differs. Exit code 5 when they did not. */
export async function parity(
  cwd: string,
  first: string,
  second: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const store = openStore(await findProject(cwd))
  const [a, b] = [await recordOf(store, first), await recordOf(store, second)]
  const result = compareRuns(a, b)
  if (options.json === true) printJson({ a: a.id, b: b.id, ...result })
  else process.stdout.write(renderParity(a.id, b.id, result, dataOptions()) + "\n")
  return result.differences.length === 0 ? exitCodes.ok : exitCodes.drift
}

/** A run of this project, or the file run.json of one that was made elsewhere (in CI, on another machine). */
async function recordOf(store: Store, wanted: string): Promise<RunRecord> {
  if (!wanted.endsWith(".json")) return readRun(store, await findRun(store, wanted))
  try {
    return RunRecord.parse(JSON.parse(await readFile(wanted, "utf8")))
  } catch (cause) {
    throw fault({
      code: "RUN-FILE",
      kind: "usage",
      message: `${wanted} is not the record of a run`,
      reason: (cause as Error).message,
      hint: "Name a run of this project (`gantry runs`), or the run.json that a run left behind.",
      cause,
    })
  }
}
