#!/usr/bin/env node
import { resolve as absolute } from "node:path"
import { Command, CommanderError } from "commander"
import { toErrorRecord } from "../core/errors.js"
import { holding } from "../core/within.js"
import { ciCommands } from "./commands/ci.js"
import { envCommands } from "./commands/env.js"
import { environmentCommands } from "./commands/environments.js"
import { machineCommands } from "./commands/machine.js"
import { takeTarget } from "./commands/options.js"
import { runCommands } from "./commands/runs.js"
import { enableCompileCache } from "./compile-cache.js"
import { exitCodeOfFault, exitCodes } from "./exit.js"
import { version } from "./version.js"

// Before the first verb is loaded.
enableCompileCache()
// Whoever reads the output may stop (`gantry logs … | head`): that is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(exitCodes.ok)
  throw error
})
// What nobody foresaw is not "a step failed", as which Node's own exit code would be read.
process.on("uncaughtException", (error) => {
  void report(error).finally(() => process.exit(exitCodes.errored))
})

/** Verbs are loaded when they are called: `gantry --help` loads none of them. */
const program = new Command("gantry")
  .description("Typed pipelines that take a commit to production.")
  .version(version())
  .option("-C, --cwd <folder>", "folder of the project", process.cwd())
  .showSuggestionAfterError()
  .addHelpText(
    "after",
    "\nExit codes: 0 ok, 1 a step failed, 2 usage or configuration, 3 errored (infrastructure), 4 waiting for approval, 5 drift, 130 interrupted",
  )
  .exitOverride()

const cwd = () => absolute(program.opts<{ cwd: string }>().cwd)
program.hook("preAction", (_, command) => takeTarget(command))
for (const add of [runCommands, environmentCommands, envCommands, ciCommands, machineCommands]) add(program, cwd)

/** Tells a person what went wrong, on standard error. Answers the exit code. */
async function report(error: unknown): Promise<number> {
  const record = toErrorRecord(error)
  const [{ renderFault }, { textOptions }] = await Promise.all([import("../report/fault.js"), import("./view.js")])
  process.stderr.write(renderFault(record, textOptions()) + "\n")
  return exitCodeOfFault(record.kind)
}

try {
  // A verb ends when it is through, not when Node finds nothing to wait for.
  await holding(() => program.parseAsync())
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage
  else process.exitCode = await report(error)
}

// Everything is done and recorded. What still holds the process (a socket to an engine that went away) must not hold a job.
setTimeout(() => process.exit(), 5_000).unref()
