import type { GoBuild } from "./supply/recipe.js"

/** Kustomize for services that bring one, where the host has none. The last version that Go 1.26 builds. */
export const kustomizeVersion = "5.8.1"
export const kustomizeReference = `registry.k8s.io/kustomize/kustomize:v${kustomizeVersion}`

export const kustomizeBuild: GoBuild = {
  title: `Kustomize ${kustomizeVersion}`,
  module: "engine/modules/kustomize",
  packages: ["sigs.k8s.io/kustomize/kustomize/v5"],
  ldflags: `-s -w -X sigs.k8s.io/kustomize/api/provenance.version=v${kustomizeVersion}`,
  // On 2 cores, from cold.
  expectedSeconds: 60,
}
