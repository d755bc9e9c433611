import { basename, join } from "node:path"
import { fault } from "../../core/errors.js"
import { engineContext, type ContextOptions } from "../context.js"
import type { EngineConfig } from "../config.js"
import { findCommand } from "../docker/apt.js"
import { exists } from "../files.js"
import { localImage } from "../image/local.js"
import { goBuildPath } from "../supply/go.js"
import type { GoBuild } from "../supply/recipe.js"
import { containerTool } from "./container.js"
import { hostTool } from "./host.js"
import type { Tool } from "./run.js"

/** A program that Gantry takes from the host, or runs in a container. */
export interface ToolSpec {
  /** Name of the command. */
  readonly command: string
  /** Variable that names it: "GANTRY_HELM". */
  readonly variable: string
  /** Arguments that make it say its version. */
  readonly version: readonly string[]
  readonly lowest: string
  readonly image: { readonly reference: string; readonly command: string; readonly version: string }
  /** How its program is made where the image is. */
  readonly build?: GoBuild
  /** Variables of each run. */
  readonly env: (scratch: string) => Readonly<Record<string, string>>
}

/** Errors: TOOL-UNUSABLE for a named one that does not serve, and those of providing the image. */
export type ProvideTool = (config: EngineConfig, options?: ContextOptions, env?: NodeJS.ProcessEnv) => Promise<Tool>

/**
 * The one that the variable names, else the command on PATH if it is new enough, else one in a container of the local
 * Docker Engine, unless it was built here.
 */
export const toolOf =
  (spec: ToolSpec): ProvideTool =>
  (config, options = {}, env = process.env) =>
    provide(spec, config, options, env)

async function provide(
  spec: ToolSpec,
  config: EngineConfig,
  options: ContextOptions,
  env: NodeJS.ProcessEnv,
): Promise<Tool> {
  const named = env[spec.variable]
  const path = named === undefined || named === "" ? await findCommand(spec.command, env) : named
  if (path !== undefined) {
    const version = await versionOf(path, spec.version)
    const { gte } = await import("semver")
    if (version !== undefined && gte(version, spec.lowest)) {
      return hostTool(`${spec.command} v${version}`, path, spec.env)
    }
    if (path === named) {
      throw fault({
        code: "TOOL-UNUSABLE",
        kind: "usage",
        message: `${spec.variable} names ${named}, which does not serve`,
        reason:
          version === undefined ? "It does not say its version." : `It is ${version}; ${spec.lowest} is the least.`,
        hint: `Correct or unset ${spec.variable}: without it Gantry takes ${spec.command} from PATH, or runs one in a container.`,
      })
    }
  }
  const context = engineContext(config, options)
  const { reference, command, version } = spec.image
  const { name } = await localImage(context, reference)
  // Where it was made here, the program runs here as well: a container takes ten times as long for the same answer.
  const built = spec.build && join(await goBuildPath(context.home, spec.build), basename(command))
  if (built !== undefined && process.platform === "linux" && (await exists(built))) {
    return hostTool(`${spec.command} v${version}`, built, spec.env)
  }
  return containerTool(`${spec.command} v${version} in a container`, context.docker, name, command, spec.env)
}

async function versionOf(path: string, args: readonly string[]): Promise<string | undefined> {
  const { execa } = await import("execa")
  const { stdout } = await execa(path, args, { reject: false, stdin: "ignore", timeout: 30_000 })
  return /\bv?(\d+\.\d+\.\d+)\b/.exec(stdout ?? "")?.[1]
}
