import type { Command } from "commander"
import { count, drivingOptions, sourceOptions, targetOption } from "./options.js"

/** Runs of pipelines: begin, go on, decide, look. @param cwd folder of the project */
export function runCommands(program: Command, cwd: () => string): void {
  drivingOptions(sourceOptions(program.command("run <pipeline>").description("run a pipeline"))).action(
    async (pipeline: string, options) => {
      const { run } = await import("../verbs/run.js")
      process.exitCode = await run(cwd(), pipeline, options)
    },
  )
  drivingOptions(
    program
      .command("dev <service>")
      .description("the work tree of a service, and of those it calls, in the environment dev; prints its address")
      .addOption(targetOption()),
  ).action(async (service: string, options) => {
    const { dev } = await import("../verbs/dev.js")
    process.exitCode = await dev(cwd(), service, options)
  })
  sourceOptions(program.command("plan <pipeline>").description("show what a run would do, before anything runs"))
    .option("--json", "the plan as JSON")
    .action(async (pipeline: string, options) => {
      const { plan } = await import("../verbs/plan.js")
      process.exitCode = await plan(cwd(), pipeline, options)
    })
  drivingOptions(
    program
      .command("resume <run>")
      .description("go on with a run: after a gate, an interruption, a crash, a repaired cause"),
  ).action(async (id: string, options) => {
    const { resume } = await import("../verbs/run.js")
    process.exitCode = await resume(cwd(), id, options)
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
        const { decideVerb } = await import("../verbs/decide.js")
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
      const { runs } = await import("../verbs/runs.js")
      process.exitCode = await runs(cwd(), options)
    })
  program
    .command("show <run>")
    .description("show what became of a run")
    .option("--json", "its record (run.json)")
    .option("--html", "write its HTML report again, and print where")
    .action(async (id: string, options) => {
      const { show } = await import("../verbs/show.js")
      process.exitCode = await show(cwd(), id, options)
    })
  program
    .command("parity <runA> <runB>")
    .description("compare two runs, or their run.json: whether they did the same, and what differs")
    .option("--json", "as JSON")
    .action(async (a: string, b: string, options) => {
      const { parity } = await import("../verbs/parity.js")
      process.exitCode = await parity(cwd(), a, b, options)
    })
  program
    .command("logs <run> <step>")
    .description("print the log of a step")
    .option("--json", "as JSON")
    .action(async (id: string, step: string, options) => {
      const { logs } = await import("../verbs/logs.js")
      process.exitCode = await logs(cwd(), id, step, options)
    })
}
