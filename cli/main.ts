#!/usr/bin/env node
import { resolve as absolute } from "node:path"
import { Command, CommanderError, InvalidArgumentError, Option } from "commander"
import { toErrorRecord } from "../core/errors.js"
import { holding } from "../core/within.js"
import { enableCompileCache } from "./compile-cache.js"
import { exitCodeOfFault, exitCodes } from "./exit.js"
import { version } from "./version.js"

/** As config/target.ts and environments/environment.ts have them, which are not loaded for `gantry --help`. */
const targetVariable = "GANTRY_TARGET"
const targetNames = ["docker", "kubernetes"]

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

const collect = (value: string, all: readonly string[] = []) => [...all, ...value.split(",")]
const cwd = () => absolute(program.opts<{ cwd: string }>().cwd)
const count = (least: number) => (value: string) => {
  const number = Number(value)
  if (Number.isInteger(number) && number >= least) return number
  throw new InvalidArgumentError(`It takes a whole number from ${least}.`)
}

/** Of every verb that deals with environments. It is the variable GANTRY_TARGET, said on the command line. */
const targetOption = () =>
  new Option("--target <target>", "where environments are, in place of what the configuration says").choices(
    targetNames,
  )
program.hook("preAction", (_, command) => {
  const { target } = command.opts<{ target?: string }>()
  if (target !== undefined) process.env[targetVariable] = target
})

const sourceOptions = (command: Command) =>
  command
    .addOption(targetOption())
    .option("-s, --service <name>", "only this service (may be given several times)", collect)
    .option("--until <step>", "up to this step")
    .option("--only <step>", "this step and the pure ones whose outputs it needs")
    .option("--commit <revision>", "what is delivered (default: HEAD)")
    .option("--dirty", "deliver the work tree, to the first environment only")
    .option("--merge-request <number>", "the merge request at the code host")
    .option("--changed-since <revision>", "only services that a change since then affects")

sourceOptions(program.command("run <pipeline>").description("run a pipeline"))
  .option("--json", "events as NDJSON on standard output")
  .option("-j, --concurrency <n>", "steps that run at once", count(1))
  .action(async (pipeline: string, options) => {
    const { run } = await import("./verbs/run.js")
    process.exitCode = await run(cwd(), pipeline, options)
  })
program
  .command("dev <service>")
  .description("the work tree of a service, and of those it calls, in the environment dev; prints its address")
  .addOption(targetOption())
  .option("--json", "events as NDJSON on standard output")
  .option("-j, --concurrency <n>", "steps that run at once", count(1))
  .action(async (service: string, options) => {
    const { dev } = await import("./verbs/dev.js")
    process.exitCode = await dev(cwd(), service, options)
  })
sourceOptions(program.command("plan <pipeline>").description("show what a run would do, before anything runs"))
  .option("--json", "the plan as JSON")
  .action(async (pipeline: string, options) => {
    const { plan } = await import("./verbs/plan.js")
    process.exitCode = await plan(cwd(), pipeline, options)
  })
program
  .command("resume <run>")
  .description("go on with a run: after a gate, an interruption, a crash, a repaired cause")
  .option("--json", "events as NDJSON on standard output")
  .option("-j, --concurrency <n>", "steps that run at once", count(1))
  .action(async (id: string, options) => {
    const { resume } = await import("./verbs/run.js")
    process.exitCode = await resume(cwd(), id, options)
  })
program
  .command("job <job>")
  .description("run one job of a pipeline, as a CI system starts it: a step, or a group of steps")
  .addOption(targetOption())
  .requiredOption("--pipeline <name>", "the pipeline that the job belongs to")
  .option("--run <id>", "id of the run, outside of CI: the same for all its jobs")
  .option("--json", "events as NDJSON on standard output")
  .option("-j, --concurrency <n>", "steps that run at once", count(1))
  .action(async (name: string, options) => {
    const { job } = await import("./verbs/job.js")
    process.exitCode = await job(cwd(), name, options)
  })
for (const decision of ["approve", "reject"] as const) {
  program
    .command(`${decision} <run>`)
    .description(`${decision} the release that waits at the gate of a run`)
    .requiredOption("--as <name>", "who decides: name or e-mail address of an approver")
    .requiredOption("--reason <text>", "why")
    .option("--gate <step>", "which gate, where there are several")
    .option("--key <file>", "private key (Ed25519, PEM) of the approver")
    .option("--resume", "go on with the run at once")
    .option("--json", "the statement as JSON")
    .action(async (id: string, options) => {
      const { decideVerb } = await import("./verbs/decide.js")
      process.exitCode = await decideVerb(cwd(), id, decision === "approve" ? "approved" : "rejected", options)
    })
}
program
  .command("runs")
  .description("list the runs of this project, newest first")
  .option("--json", "as JSON")
  .option("-n, --limit <n>", "how many", count(1), 20)
  .option("--prune <keep>", "remove all but the newest <keep> finished runs, and what only they kept", count(0))
  .action(async (options) => {
    const { runs } = await import("./verbs/runs.js")
    process.exitCode = await runs(cwd(), options)
  })
program
  .command("show <run>")
  .description("show what became of a run")
  .option("--json", "its record (run.json)")
  .option("--html", "write its HTML report again, and print where")
  .action(async (id: string, options) => {
    const { show } = await import("./verbs/show.js")
    process.exitCode = await show(cwd(), id, options)
  })
program
  .command("parity <runA> <runB>")
  .description("compare two runs, or their run.json: whether they did the same, and what differs")
  .option("--json", "as JSON")
  .action(async (a: string, b: string, options) => {
    const { parity } = await import("./verbs/parity.js")
    process.exitCode = await parity(cwd(), a, b, options)
  })
program
  .command("logs <run> <step>")
  .description("print the log of a step")
  .option("--json", "as JSON")
  .action(async (id: string, step: string, options) => {
    const { logs } = await import("./verbs/logs.js")
    process.exitCode = await logs(cwd(), id, step, options)
  })
program
  .command("feedback")
  .description("in CI, after all jobs: one record, one report, one comment on the merge request")
  .requiredOption("--pipeline <pipeline>", "the pipeline whose jobs ran")
  .option("--print", "print the comment, tell the code host nothing")
  .action(async (options) => {
    const { feedback } = await import("./verbs/feedback.js")
    process.exitCode = await feedback(cwd(), options)
  })
program
  .command("doctor")
  .description("check every component: where it came from, its version, what to do when it is unusable")
  .option("--json", "as JSON")
  .action(async (options) => {
    const { doctorVerb } = await import("./verbs/doctor.js")
    process.exitCode = await doctorVerb(cwd(), options)
  })
program
  .command("stack <up|down|status>")
  .description("the long-lived containers of the local stack")
  .option("--json", "as JSON")
  .action(async (action: string, options) => {
    const { stack } = await import("./verbs/stack.js")
    process.exitCode = await stack(cwd(), action, options)
  })
program
  .command("chart <show|push>")
  .description("the Helm chart of a service, as an artifact in the registry of the releases")
  .option("--json", "as JSON")
  .action(async (action: string, options) => {
    const { chartVerb } = await import("./verbs/chart.js")
    process.exitCode = await chartVerb(cwd(), action, options)
  })
program
  .command("generate <gitlab|github>")
  .description("write the configuration with which a CI system runs a pipeline")
  .option("--pipeline <name>", "which pipeline", "delivery")
  .option("--check", "write nothing; show what differs, and exit with 5 then")
  .option("--stdout", "print it instead")
  .option("--force", "also over a file that was edited by hand or made by somebody else")
  .action(async (host: string, options) => {
    const { generate } = await import("./verbs/generate.js")
    process.exitCode = await generate(cwd(), host, options)
  })
program
  .command("affected")
  .description("list the services that a change has to deliver")
  .option("--changed-since <commit>", "count from this commit; without it, or when it is unknown here: all services")
  .option("--json", "as JSON")
  .action(async (options) => {
    const { affected } = await import("./verbs/affected.js")
    process.exitCode = await affected(cwd(), options)
  })
program
  .command("rollback <environment>")
  .description("bring an earlier release back, without a build: the good one before, or a kept one that is named")
  .addOption(targetOption())
  .option("-s, --service <name>", "only this service (may be given several times)", collect)
  .option("--to <release>", "generation, or the beginning of a digest or a commit (see `gantry env show`)")
  .option("--force", "also past a migration that is not backwards compatible")
  .option("--as <name>", "who orders it; where people have to approve: an approver")
  .requiredOption("--reason <text>", "why")
  .option("--json", "events as NDJSON on standard output")
  .action(async (name: string, options) => {
    const { rollbackVerb } = await import("./verbs/rollback.js")
    process.exitCode = await rollbackVerb(cwd(), name, options)
  })
for (const kind of ["promote", "abort"] as const) {
  const promotes = kind === "promote"
  const command = program
    .command(`${kind} <environment>`)
    .description(
      promotes
        ? "go on with a rollout that pauses, or let a release that was taken back be deployed again"
        : "take a rollout that goes on back to the release before",
    )
    .addOption(targetOption())
    .option("-s, --service <name>", "which service", collect)
    .option(
      "--as <name>",
      `who decides; where people have to approve: an approver${promotes ? " who is not the author" : ""}`,
    )
    .requiredOption("--reason <text>", "why")
  if (promotes)
    command.option("--full", "leave the steps that are left out").option("--resume", "go on with the run at once")
  command.action(async (name: string, options) => {
    const { rolloutVerb } = await import("./verbs/rollout.js")
    process.exitCode = await rolloutVerb(cwd(), name, kind, options)
  })
}
program
  .command("unlock <environment>")
  .description("say who is changing an environment, and remove the lock of a process that is gone")
  .addOption(targetOption())
  .option("-s, --service <name>", "only this service (may be given several times)", collect)
  .option("--force", "also the lock of a process that lives")
  .action(async (name: string, options) => {
    const { unlock } = await import("./verbs/unlock.js")
    process.exitCode = await unlock(cwd(), name, options)
  })
program
  .command("stop <environment>")
  .description("take an environment down, until it is deployed to again; not one that people have to approve of")
  .addOption(targetOption())
  .option("--data", "remove its databases, credentials and history as well")
  .action(async (name: string, options) => {
    const { stop } = await import("./verbs/stop.js")
    process.exitCode = await stop(cwd(), name, options)
  })
const env = program.command("env").description("what runs where")
env
  .command("list")
  .description("every service in every environment: release, configuration, health")
  .addOption(targetOption())
  .option("--json", "as JSON")
  .action(async (options) => {
    const { envList } = await import("./verbs/env.js")
    process.exitCode = await envList(cwd(), options)
  })
env
  .command("tidy [environment]")
  .description("remove what a switch kept, once its time is over; for a schedule")
  .addOption(targetOption())
  .option("-s, --service <name>", "only this service (may be given several times)", collect)
  .action(async (name: string | undefined, options) => {
    const { envTidy } = await import("./verbs/tidy.js")
    process.exitCode = await envTidy(cwd(), name, options)
  })
env
  .command("show <environment> [service]")
  .description("one environment in detail; exits with 5 when somebody changed it by hand")
  .addOption(targetOption())
  .option("--json", "as JSON")
  .action(async (name: string, service: string | undefined, options) => {
    const { envShow } = await import("./verbs/env.js")
    process.exitCode = await envShow(cwd(), name, service, options)
  })
env
  .command("diff <a> <b>")
  .description("in what releases and configuration of two environments differ")
  .addOption(targetOption())
  .option("--json", "as JSON")
  .action(async (a: string, b: string, options) => {
    const { envDiff } = await import("./verbs/env.js")
    process.exitCode = await envDiff(cwd(), a, b, options)
  })
env
  .command("rbac <environment>")
  .description(
    "print what the administrator of a cluster applies for an environment: namespace, account, rights, limits",
  )
  .option("--namespace <name>", "default: <project>-<environment>")
  .option("--gateway <namespace/name>", "a Gateway of another namespace that routes belong to")
  .option("--prometheus <service>", "name of the Service that may be asked through the API server", "prometheus")
  .action(async (name: string, options) => {
    const { envRbac } = await import("./verbs/rbac.js")
    process.exitCode = await envRbac(cwd(), name, options)
  })
env
  .command("settle <environment> <service> <done|failed>")
  .description("say how a migration ended whose end nobody saw, after looking at the database")
  .addOption(targetOption())
  .requiredOption("--reason <text>", "what you saw there")
  .option("--json", "as JSON")
  .action(async (name: string, service: string, how: string, options) => {
    const { envSettle } = await import("./verbs/env.js")
    process.exitCode = await envSettle(cwd(), name, service, how, options)
  })
program
  .command("init [folder]")
  .description("write a configuration and a first pipeline for a folder with a Dockerfile")
  .option("--name <name>", "name of the project")
  .action(async (folder: string | undefined, options) => {
    const { init } = await import("./verbs/init.js")
    process.exitCode = await init(cwd(), folder, options)
  })

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
