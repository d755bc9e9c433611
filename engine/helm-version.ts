import type { GoBuild } from "./supply/recipe.js"

/** Helm that Gantry renders with where the host has none. */
export const helmVersion = "3.22.0"
export const helmReference = `docker.io/alpine/helm:${helmVersion}`

export const helmBuild: GoBuild = {
  title: `Helm ${helmVersion}`,
  module: "engine/modules/helm",
  packages: ["helm.sh/helm/v3/cmd/helm"],
  ldflags: `-s -w -X helm.sh/helm/v3/internal/version.version=v${helmVersion}`,
  // On 2 cores, from cold.
  expectedSeconds: 120,
}
