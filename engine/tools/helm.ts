import { helmBuild, helmReference, helmVersion } from "../helm-version.js"
import { toolOf } from "./provide.js"

/** Helm: the host's from 3.14 on, else one in a container. */
export const helmTool = toolOf({
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
})
