import { join } from "node:path"
import { packageRoot } from "../../core/package-root.js"
import type { GoBuild, Recipe } from "../supply/recipe.js"
import { subsetFolder, trivyReference, trivyVersion } from "../trivy-version.js"

export const trivyBuild: GoBuild = {
  title: `Trivy ${trivyVersion}`,
  module: "engine/modules/trivy",
  packages: ["github.com/aquasecurity/trivy/cmd/trivy", "trivy-tool/mkdb"],
  ldflags: `-s -w -X github.com/aquasecurity/trivy/pkg/version/app.ver=${trivyVersion}`,
  env: { GOEXPERIMENT: "jsonv2" },
  // On 2 cores, beside the engine's build; alone about half of it.
  expectedSeconds: 660,
}

export const recipes: readonly Recipe[] = [
  {
    references: [trivyReference],
    provides: `Trivy ${trivyVersion} from Go modules, with a dated subset of advisories`,
    expectedSeconds: 15,
    dockerfile: `FROM parent AS database
COPY mkdb advisories.json archives.json /tmp/
RUN /tmp/mkdb ${subsetFolder} /tmp/advisories.json /tmp/archives.json
FROM parent
COPY trivy /usr/local/bin/trivy
COPY --from=database ${subsetFolder} ${subsetFolder}
ENTRYPOINT ["trivy"]
`,
    files: async (tools) => {
      const folder = await tools.goBuild(trivyBuild)
      return {
        trivy: { path: join(folder, "trivy"), mode: 0o755 },
        mkdb: { path: join(folder, "mkdb"), mode: 0o755 },
        "advisories.json": { path: join(packageRoot(), "engine", "recipes", "trivy-advisories.json") },
        "archives.json": { path: join(packageRoot(), "engine", "recipes", "trivy-archives.json") },
      }
    },
    check: {
      command: [
        "sh",
        "-c",
        `trivy --version; cat ${subsetFolder}/subset.json ${subsetFolder}/db/metadata.json; ls ${subsetFolder}/*`,
      ],
      expect: new RegExp(
        `Version: ${trivyVersion.replaceAll(".", "\\.")}[^]*"advisories":\\d+[^]*"Version":2[^]*trivy\\.db[^]*trivy-java\\.db`,
      ),
    },
  },
]
