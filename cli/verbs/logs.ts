import { findProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { findRun, openStore, readLog, readRun } from "../../core/store.js"
import { nearest } from "../../core/suggest.js"
import { exitCodes } from "../exit.js"
import { printJson } from "../view.js"

/** `gantry logs <run> <step>`: the log as far as it is written, on standard output. @throws STEP-UNKNOWN */
export async function logs(
  cwd: string,
  wanted: string,
  step: string,
  options: { readonly json?: boolean },
): Promise<number> {
  const store = openStore(await findProject(cwd))
  const record = await readRun(store, await findRun(store, wanted))
  const matches = record.steps.filter((s) => s.id === step || s.id.endsWith(`.${step}`))
  const found = matches.find((s) => s.id === step) ?? (matches.length === 1 ? matches[0] : undefined)
  if (found === undefined) {
    const near = nearest(
      step,
      record.steps.map((s) => s.id),
    )
    throw fault({
      code: "STEP-UNKNOWN",
      kind: "usage",
      message:
        matches.length > 1
          ? `"${step}" names several steps: ${matches.map((s) => s.id).join(", ")}`
          : `Run ${record.id} has no step "${step}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
      hint: `\`gantry show ${record.id}\` lists its steps.`,
    })
  }
  const text = await readLog(store, record.id, found.id)
  if (options.json === true) printJson({ run: record.id, step: found.id, status: found.status, log: text ?? null })
  else if (text === undefined) process.stderr.write(`${found.id} is ${found.status} and has written no log.\n`)
  else process.stdout.write(text)
  return exitCodes.ok
}
