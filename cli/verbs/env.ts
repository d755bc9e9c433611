import { findProject, loadProject, selectServices } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import {
  compareEnvironments,
  describeEnvironment,
  describeEnvironments,
  developmentName,
  settleMigration,
  withDevelopment,
} from "../../environments/index.js"
import { environmentNamed } from "../../steps/environment.js"
import type { Settings } from "../../steps/settings.js"
import { differencesText, environmentsText, environmentText, troubleLines } from "../env-text.js"
import { exitCodes } from "../exit.js"
import { dataOptions, printJson } from "../view.js"

interface Options {
  readonly json?: boolean
}

/** `gantry env list`: what runs where. */
export async function envList(cwd: string, options: Options): Promise<number> {
  const all = await describeEnvironments(await settingsOf(cwd))
  // DEV is there when somebody used it.
  const used = all.some((s) => s.environment === developmentName && s.state !== "empty")
  const told = all.filter((s) => s.environment !== developmentName || used)
  if (options.json === true) printJson(told)
  else process.stdout.write(environmentsText(told, dataOptions()) + "\n")
  for (const line of troubleLines(told)) process.stderr.write(`${line}\n`)
  return exitCodes.ok
}

/** `gantry env show <environment> [service]`: all about it, and what somebody changed by hand: exit code 5 then. @throws ENV-NO-DOCKER, K8S-UNREACHABLE */
export async function envShow(
  cwd: string,
  name: string,
  service: string | undefined,
  options: Options,
): Promise<number> {
  const settings = await settingsOf(cwd)
  environmentNamed(settings, name)
  const { services } = selectServices(settings, service === undefined ? undefined : [service])
  const detail = await describeEnvironment(
    settings,
    name,
    services.map((s) => s.name),
  )
  if (options.json === true) printJson(detail)
  else process.stdout.write(environmentText(detail, dataOptions()) + "\n")
  if (detail.trouble !== undefined) throw fault(detail.trouble)
  const drift = [detail, ...detail.services, ...detail.dependencies].flatMap((s) => s.drift)
  return drift.length === 0 ? exitCodes.ok : exitCodes.drift
}

/** `gantry env diff <a> <b>`: in what releases and configuration differ. */
export async function envDiff(cwd: string, a: string, b: string, options: Options): Promise<number> {
  const settings = await settingsOf(cwd)
  for (const name of [a, b]) environmentNamed(settings, name)
  const differences = await compareEnvironments(settings, a, b)
  if (options.json === true) printJson({ a, b, differences })
  else process.stdout.write(differencesText(a, b, differences, dataOptions()) + "\n")
  return exitCodes.ok
}

/** `gantry env settle <environment> <service> done|failed`: how a migration ended whose end nobody saw. */
export async function envSettle(
  cwd: string,
  name: string,
  service: string,
  how: string,
  options: Options & { readonly reason: string },
): Promise<number> {
  if (how !== "done" && how !== "failed") {
    throw fault({
      code: "USAGE-SETTLE",
      kind: "usage",
      message: `A migration ended as done or failed, not as "${how}"`,
      hint: `gantry env settle ${name} ${service} done --reason "the table is there"; after \`failed\` it runs again.`,
    })
  }
  const settings = await settingsOf(cwd)
  environmentNamed(settings, name)
  selectServices(settings, [service])
  const entry = await settleMigration(settings, name, service, how, options.reason)
  if (options.json === true) printJson(entry)
  else process.stderr.write(`the migration of ${service} in ${name} counts as ${how}\n`)
  return exitCodes.ok
}

async function settingsOf(cwd: string): Promise<Settings> {
  return withDevelopment((await loadProject(await findProject(cwd))).settings)
}
