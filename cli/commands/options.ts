import { InvalidArgumentError, Option, type Command } from "commander"

/** As config/target.ts and environments/environment.ts have them, which are not loaded for `gantry --help`. */
const targetVariable = "GANTRY_TARGET"
const targetNames = ["docker", "kubernetes"]

/** Of an option that may be given several times, and that takes "a,b". */
const collect = (value: string, all: readonly string[] = []) => [...all, ...value.split(",")]
/** Of an option that takes a whole number. */
export const count = (least: number) => (value: string) => {
  const number = Number(value)
  if (Number.isInteger(number) && number >= least) return number
  throw new InvalidArgumentError(`It takes a whole number from ${least}.`)
}

/** Of every verb that deals with environments. It is the variable GANTRY_TARGET, said on the command line. */
export const targetOption = () =>
  new Option("--target <target>", "where environments are, in place of what the configuration says").choices(
    targetNames,
  )

/** What `targetOption` said, before a verb begins. */
export function takeTarget(command: Command): void {
  const { target } = command.opts<{ target?: string }>()
  if (target !== undefined) process.env[targetVariable] = target
}

/** Of verbs that may be about some services only. */
export const serviceOption = (text = "only this service (may be given several times)") =>
  new Option("-s, --service <name>", text).argParser(collect)

/** Of verbs that run steps. */
export const drivingOptions = (command: Command) =>
  command
    .option("--json", "events as NDJSON on standard output")
    .option("-j, --concurrency <n>", "steps that run at once", count(1))

/** Of verbs that begin with a commit. */
export const sourceOptions = (command: Command) =>
  command
    .addOption(targetOption())
    .addOption(serviceOption())
    .option("--until <step>", "up to this step")
    .option("--only <step>", "this step and the pure ones whose outputs it needs")
    .option("--commit <revision>", "what is delivered (default: HEAD)")
    .option("--dirty", "deliver the work tree, to the first environment only")
    .option("--merge-request <number>", "the merge request at the code host")
    .option("--changed-since <revision>", "only services that a change since then affects")
