import { join } from "node:path"
import { kustomizeBuild, kustomizeReference, kustomizeVersion } from "../kustomize-version.js"
import type { Recipe } from "../supply/recipe.js"

/** Kustomize where the published image has it. */
export const recipes: readonly Recipe[] = [
  {
    references: [kustomizeReference],
    provides: `Kustomize ${kustomizeVersion} from Go modules`,
    expectedSeconds: 10,
    dockerfile: `COPY kustomize /app/kustomize
WORKDIR /app
ENTRYPOINT ["/app/kustomize"]
`,
    // Go names the program after the last part of its path, and of "…/kustomize/v5" the part before.
    files: async (tools) => ({
      kustomize: { path: join(await tools.goBuild(kustomizeBuild), "kustomize"), mode: 0o755 },
    }),
    check: {
      command: ["/app/kustomize", "version"],
      expect: new RegExp(`^v${kustomizeVersion.replaceAll(".", "\\.")}`),
    },
  },
]
