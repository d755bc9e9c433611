import type { ContextOptions } from "../context.js"
import type { EngineConfig } from "../config.js"
import { helmBuild, helmReference, helmVersion } from "../helm-version.js"
import { provideTool } from "./provide.js"
import type { Tool } from "./run.js"

/** Helm: the host's from 3.14 on, else one in a container. Errors: those of `provideTool`. */
export function helmTool(
  config: EngineConfig,
  options: ContextOptions = {},
  env: NodeJS.ProcessEnv = process.env,
): Promise<Tool> {
  return provideTool(
    {
      command: "helm",
      variable: "GANTRY_HELM",
      version: ["version", "--template", "{{.Version}}"],
      lowest: "3.14.0",
      build: helmBuild,
      image: { reference: helmReference, command: "helm", version: helmVersion },
      // Helm keeps nothing of its own outside of the run's folder, and finds no cluster.
      env: (scratch) => ({
        HELM_CACHE_HOME: `${scratch}/helm/cache`,
        HELM_CONFIG_HOME: `${scratch}/helm/config`,
        HELM_DATA_HOME: `${scratch}/helm/data`,
        KUBECONFIG: `${scratch}/helm/no-cluster`,
      }),
    },
    config,
    options,
    env,
  )
}
