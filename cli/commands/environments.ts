import type { Command } from "commander"
import { serviceOption, targetOption } from "./options.js"

/** What changes an environment outside of a run. @param cwd folder of the project */
export function environmentCommands(program: Command, cwd: () => string): void {
  program
    .command("rollback <environment>")
    .description("bring an earlier release back, without a build: the good one before, or a kept one that is named")
    .addOption(targetOption())
    .addOption(serviceOption())
    .option("--to <release>", "generation, or the beginning of a digest or a commit (see `gantry env show`)")
    .option("--force", "also past a migration that is not backwards compatible")
    .option("--as <name>", "who orders it; where people have to approve: an approver")
    .requiredOption("--reason <text>", "why")
    .option("--json", "events as NDJSON on standard output")
    .action(async (name: string, options) => {
      const { rollbackVerb } = await import("../verbs/rollback.js")
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
      .addOption(serviceOption("which service"))
      .option(
        "--as <name>",
        `who decides; where people have to approve: an approver${promotes ? " who is not the author" : ""}`,
      )
      .requiredOption("--reason <text>", "why")
    if (promotes)
      command.option("--full", "leave the steps that are left out").option("--resume", "go on with the run at once")
    command.action(async (name: string, options) => {
      const { rolloutVerb } = await import("../verbs/rollout.js")
      process.exitCode = await rolloutVerb(cwd(), name, kind, options)
    })
  }
  program
    .command("unlock <environment>")
    .description("say who is changing an environment, and remove the lock of a process that is gone")
    .addOption(targetOption())
    .addOption(serviceOption())
    .option("--force", "also the lock of a process that lives")
    .action(async (name: string, options) => {
      const { unlock } = await import("../verbs/unlock.js")
      process.exitCode = await unlock(cwd(), name, options)
    })
  program
    .command("stop <environment>")
    .description("take an environment down, until it is deployed to again; not one that people have to approve of")
    .addOption(targetOption())
    .option("--data", "remove its databases, credentials and history as well")
    .action(async (name: string, options) => {
      const { stop } = await import("../verbs/stop.js")
      process.exitCode = await stop(cwd(), name, options)
    })
}
