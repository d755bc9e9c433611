import type { Command } from "commander"
import { serviceOption, targetOption } from "./options.js"

/** What runs where: `gantry env …`. @param cwd folder of the project */
export function envCommands(program: Command, cwd: () => string): void {
  const env = program.command("env").description("what runs where")
  env
    .command("list")
    .description("every service in every environment: release, configuration, health")
    .addOption(targetOption())
    .option("--json", "as JSON")
    .action(async (options) => {
      const { envList } = await import("../verbs/env.js")
      process.exitCode = await envList(cwd(), options)
    })
  env
    .command("tidy [environment]")
    .description("remove what a switch kept, once its time is over; for a schedule")
    .addOption(targetOption())
    .addOption(serviceOption())
    .action(async (name: string | undefined, options) => {
      const { envTidy } = await import("../verbs/tidy.js")
      process.exitCode = await envTidy(cwd(), name, options)
    })
  env
    .command("show <environment> [service]")
    .description("one environment in detail; exits with 5 when somebody changed it by hand")
    .addOption(targetOption())
    .option("--json", "as JSON")
    .action(async (name: string, service: string | undefined, options) => {
      const { envShow } = await import("../verbs/env.js")
      process.exitCode = await envShow(cwd(), name, service, options)
    })
  env
    .command("diff <a> <b>")
    .description("in what releases and configuration of two environments differ")
    .addOption(targetOption())
    .option("--json", "as JSON")
    .action(async (a: string, b: string, options) => {
      const { envDiff } = await import("../verbs/env.js")
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
      const { envRbac } = await import("../verbs/rbac.js")
      process.exitCode = await envRbac(cwd(), name, options)
    })
  env
    .command("settle <environment> <service> <done|failed>")
    .description("say how a migration ended whose end nobody saw, after looking at the database")
    .addOption(targetOption())
    .requiredOption("--reason <text>", "what you saw there")
    .option("--json", "as JSON")
    .action(async (name: string, service: string, how: string, options) => {
      const { envSettle } = await import("../verbs/env.js")
      process.exitCode = await envSettle(cwd(), name, service, how, options)
    })
}
