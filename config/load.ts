import { readFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { choosePlace } from "../clients/codehost/place.js"
import { fault } from "../core/errors.js"
import { exists, openStore } from "../core/store.js"
import { nearest } from "../core/suggest.js"
import { hostCa } from "../engine/ca.js"
import { publicOrigin } from "../steps/checkout/origin.js"
import { tryGit } from "../steps/git.js"
import type { Settings } from "../steps/settings.js"
import { checkConfig, outsideIssues } from "./check.js"
import { evaluate } from "./evaluate.js"
import { configFault, issuesFault, type Issue } from "./issues.js"
import { sourceLine } from "./locate.js"
import { ProjectConfig, type PipelineSource } from "./schema.js"
import { checkServices, loadService, withCallers } from "./services.js"
import { targeted } from "./target.js"

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

export interface LoadOptions {
  /** Where a run that goes on has its environments, by their names. Stands above GANTRY_TARGET and the configuration. */
  readonly targets?: Readonly<Record<string, string>> | undefined
  /** Default: the process's. GANTRY_TARGET in it stands above the configuration. */
  readonly env?: Readonly<Record<string, string | undefined>>
}

/**
 * Loads and validates the configuration of the project in `root`.
 * @throws CONFIG-LOAD, CONFIG-INVALID, SERVICE-…, TARGET-UNKNOWN
 */
export async function loadProject(root: string, options: LoadOptions = {}): Promise<Project> {
  const { env = process.env } = options
  const path = join(root, configFile)
  const text = await readFile(path, "utf8")
  // Git answers while the configuration is read.
  const origin = originOf(root)
  const line = (field: readonly PropertyKey[]) => sourceLine(text, field)
  const refuse = (issues: readonly Issue[]) => {
    if (issues.length > 0) throw issuesFault(configFile, issues, line)
  }
  const exported = await evaluate(path, join(openStore(root).root, "loader"))
  if (typeof exported !== "object" || exported === null) throw noObject(exported)
  const parsed = ProjectConfig.safeParse(exported)
  if (!parsed.success) throw configFault(configFile, ProjectConfig, parsed.error, line)
  const config = parsed.data
  const { services, configRepo, approvers, engine, project, scan, ci, pipelines } = config
  refuse(outsideIssues(root, parsed.data))
  const loaded = services.map((folder) => loadService(root, folder))
  checkServices(loaded)
  refuse(await checkConfig(root, parsed.data, loaded))
  const { environments, target } = targeted(config.environments, options.targets, env)
  const codeHost = choosePlace({
    config: config.codeHost,
    env,
    origin: await origin,
    ca: hostCa(engine),
  })
  return {
    settings: {
      project,
      root,
      engine,
      services: withCallers(loaded),
      environments,
      target,
      scan,
      configRepo,
      approvers,
      ci,
      codeHost,
    },
    pipelines,
  }
}

/** Git's remote; a folder that is no repository has none, and that is for others to complain about. */
async function originOf(root: string): Promise<string | undefined> {
  const answer = await tryGit(["remote", "get-url", "origin"], { cwd: root }).catch(() => undefined)
  return answer?.exitCode === 0 ? publicOrigin(answer.stdout) : undefined
}

function noObject(exported: unknown) {
  const kind = exported === null ? "null" : `of type ${typeof exported}`
  return fault({
    code: "CONFIG-LOAD",
    kind: "usage",
    message: `The default export of ${configFile} is ${kind}`,
    hint: "It must be an object: export default defineConfig({ … })",
  })
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
