import type { ContextOptions } from "../context.js"
import type { EngineConfig } from "../config.js"
import { kustomizeBuild, kustomizeReference, kustomizeVersion } from "../kustomize-version.js"
import { provideTool } from "./provide.js"
import type { Tool } from "./run.js"

/** Kustomize: the host's from 5.0 on, else one in a container. Errors: those of `provideTool`. */
export function kustomizeTool(
  config: EngineConfig,
  options: ContextOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Tool> {
  return provideTool(
    {
      command: "kustomize",
      variable: "GANTRY_KUSTOMIZE",
      version: ["version"],
      lowest: "5.0.0",
      build: kustomizeBuild,
      image: { reference: kustomizeReference, command: "/app/kustomize", version: kustomizeVersion },
      env: () => ({}),
    },
    config,
    options,
    env,
  )
}
