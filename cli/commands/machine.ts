import type { Command } from "commander"

/** What a machine and a project need before anything runs. @param cwd folder of the project */
export function machineCommands(program: Command, cwd: () => string): void {
  program
    .command("doctor")
    .description("check every component: where it came from, its version, what to do when it is unusable")
    .option("--json", "as JSON")
    .action(async (options) => {
      const { doctorVerb } = await import("../verbs/doctor.js")
      process.exitCode = await doctorVerb(cwd(), options)
    })
  program
    .command("stack <up|down|status>")
    .description("the long-lived containers of the local stack")
    .option("--json", "as JSON")
    .action(async (action: string, options) => {
      const { stack } = await import("../verbs/stack.js")
      process.exitCode = await stack(cwd(), action, options)
    })
  program
    .command("chart <show|push>")
    .description("the Helm chart of a service, as an artifact in the registry of the releases")
    .option("--json", "as JSON")
    .action(async (action: string, options) => {
      const { chartVerb } = await import("../verbs/chart.js")
      process.exitCode = await chartVerb(cwd(), action, options)
    })
  program
    .command("init [folder]")
    .description("write a configuration and a first pipeline for a folder with a Dockerfile")
    .option("--name <name>", "name of the project")
    .action(async (folder: string | undefined, options) => {
      const { init } = await import("../verbs/init.js")
      process.exitCode = await init(cwd(), folder, options)
    })
}
