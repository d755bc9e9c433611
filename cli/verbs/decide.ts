import { readFile } from "node:fs/promises"
import { decide, proposalOf, type Statement } from "../../approvals/index.js"
import { findProject, loadProject } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { findRun, openStore } from "../../core/store.js"
import { cleanLine } from "../../report/width.js"
import { describeEvidence } from "../../steps/gate/describe.js"
import { exitCodes } from "../exit.js"
import { printJson } from "../view.js"
import { resume } from "./run.js"

interface DecideOptions {
  readonly as: string
  readonly reason: string
  readonly gate?: string
  readonly key?: string
  readonly resume?: boolean
  readonly json?: boolean
}

/** `gantry approve|reject <run>`: notes the decision; with --resume the run goes on at once. */
export async function decideVerb(
  cwd: string,
  wanted: string,
  decision: Statement["decision"],
  options: DecideOptions,
): Promise<number> {
  const root = await findProject(cwd)
  const { settings } = await loadProject(root)
  const store = openStore(root)
  const run = await findRun(store, wanted)
  const { evidence } = await proposalOf(store, run, options.gate, settings.approvers)
  process.stderr.write(describeEvidence(evidence.evidence).map(cleanLine).join("\n") + "\n\n")
  const statement = await decide({
    store,
    run,
    gate: options.gate,
    as: options.as,
    reason: options.reason,
    decision,
    approvers: settings.approvers,
    privateKey: options.key === undefined ? undefined : await readKey(options.key),
  })
  if (options.json === true && options.resume === true) process.stdout.write(JSON.stringify(statement) + "\n")
  else if (options.json === true) printJson(statement)
  else {
    process.stderr.write(
      `${decision === "approved" ? "Approved" : "Rejected"} by ${statement.by} (${statement.role}): ${statement.reason}\n` +
        `Bound to evidence ${statement.evidenceHash.slice(0, 16)}…, holds until ${statement.expiresAt}.\n`,
    )
  }
  if (options.resume === true) return resume(cwd, run, { json: options.json === true })
  if (options.json !== true) process.stderr.write(`Now: gantry resume ${run}\n`)
  return exitCodes.ok
}

async function readKey(path: string): Promise<string> {
  try {
    return await readFile(path, "utf8")
  } catch (cause) {
    throw fault({
      code: "APPROVAL-KEY",
      kind: "usage",
      message: `The key ${path} cannot be read`,
      reason: (cause as Error).message,
      hint: "Give the PEM file of your Ed25519 private key.",
      cause,
    })
  }
}
