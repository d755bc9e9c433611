import { join } from "node:path"
import { helmBuild, helmReference, helmVersion } from "../helm-version.js"
import type { Recipe } from "../supply/recipe.js"

/** Helm as the image of Docker Hub has it: `helm` is the entrypoint. */
export const recipes: readonly Recipe[] = [
  {
    references: [helmReference],
    provides: `Helm ${helmVersion} from Go modules`,
    expectedSeconds: 10,
    dockerfile: `COPY helm /usr/local/bin/helm
WORKDIR /apps
ENTRYPOINT ["helm"]
CMD ["--help"]
`,
    files: async (tools) => ({ helm: { path: join(await tools.goBuild(helmBuild), "helm"), mode: 0o755 } }),
    check: {
      command: ["helm", "version", "--template", "{{.Version}}"],
      expect: new RegExp(`^v${helmVersion.replaceAll(".", "\\.")}`),
    },
  },
]
