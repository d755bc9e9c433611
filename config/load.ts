import { readFile } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { pathToFileURL } from "node:url"
import { fault } from "../core/errors.js"
import { exists } from "../core/store.js"
import { nearest } from "../core/suggest.js"
import type { Service } from "../steps/service.js"
import type { Settings } from "../steps/settings.js"
import { configFault } from "./issues.js"
import { sourceLine } from "./locate.js"
import { ProjectConfig, type PipelineSource } from "./schema.js"
import { checkServices, loadService } from "./services.js"

export const configFile = "gantry.config.ts"

/** A project as its configuration describes it, validated. */
export interface Project {
  readonly settings: Settings
  readonly pipelines: Readonly<Record<string, PipelineSource>>
}

/** Finds gantry.config.ts in a folder or above it. @throws CONFIG-MISSING */
export async function findProject(from: string): Promise<string> {
  for (let dir = from; ; dir = dirname(dir)) {
    if (await exists(join(dir, configFile))) return dir
    if (dirname(dir) === dir) break
  }
  throw fault({
    code: "CONFIG-MISSING",
    kind: "usage",
    message: `There is no ${configFile} in ${from} or above it`,
    hint: "`gantry init` writes one.",
  })
}

/** Loads and validates the configuration of the project in `root`. @throws CONFIG-LOAD, CONFIG-INVALID, SERVICE-… */
export async function loadProject(root: string): Promise<Project> {
  const path = join(root, configFile)
  const text = await readFile(path, "utf8")
  const parsed = ProjectConfig.safeParse(await evaluate(path))
  if (!parsed.success) throw configFault(configFile, parsed.error, (field) => sourceLine(text, field))
  const { services, configRepo, environments, approvers, engine, project, scan, pipelines } = parsed.data
  const loaded: Service[] = []
  for (const folder of services) loaded.push(await loadService(root, folder))
  checkServices(loaded)
  return {
    settings: { project, root, engine, services: loaded, environments, scan, configRepo, approvers },
    pipelines,
  }
}

/** The default export of a TypeScript file, without a build step. */
async function evaluate(path: string): Promise<unknown> {
  const { createJiti } = await import("jiti")
  try {
    // Native import of gantry-ci itself, so that the configuration and the command share one copy of it.
    return await createJiti(pathToFileURL(path).href, { interopDefault: true }).import(path, { default: true })
  } catch (cause) {
    const error = cause as Error
    throw fault({
      code: "CONFIG-LOAD",
      kind: "usage",
      message: `${configFile} cannot be loaded: ${error.message.split("\n")[0]}`,
      reason: error.stack
        ?.split("\n")
        .find((line) => line.includes(relative(process.cwd(), path)) || line.includes(path))
        ?.trim(),
      hint: "It must be a TypeScript module whose default export is defineConfig({ … }).",
      cause,
    })
  }
}

/** Keeps the named services. @throws SERVICE-UNKNOWN with the nearest name */
export function selectServices(settings: Settings, names: readonly string[] | undefined): Settings {
  if (names === undefined || names.length === 0) return settings
  const known = settings.services.map((s) => s.name)
  for (const name of names) {
    if (known.includes(name)) continue
    const near = nearest(name, known)
    throw fault({
      code: "SERVICE-UNKNOWN",
      kind: "usage",
      message: `There is no service "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
      hint:
        known.length === 0 ? "Name folders in `services` of gantry.config.ts." : `Services are: ${known.join(", ")}.`,
    })
  }
  return { ...settings, services: settings.services.filter((s) => names.includes(s.name)) }
}
