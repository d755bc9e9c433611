import { findProject } from "../../config/index.js"
import { findRun, openStore, readRun } from "../../core/store.js"
import { renderRun } from "../../report/summary.js"
import { exitCodes } from "../exit.js"
import { writeReport } from "../report-file.js"
import { printJson, dataOptions } from "../view.js"

/** `gantry show <run>`: what became of it, why, what now. */
export async function show(
  cwd: string,
  wanted: string,
  options: { readonly json?: boolean; readonly html?: boolean },
): Promise<number> {
  const store = openStore(await findProject(cwd))
  const record = await readRun(store, await findRun(store, wanted))
  if (options.json === true) printJson(record)
  else if (options.html === true) process.stdout.write((await writeReport(store, record)) + "\n")
  else process.stdout.write(renderRun(record, dataOptions()) + "\n")
  return exitCodes.ok
}
