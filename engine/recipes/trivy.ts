import { join } from "node:path"
import { packageRoot } from "../supply/go.js"
import type { GoBuild, Recipe } from "../supply/recipe.js"

export const trivyVersion = "0.74.0"
export const trivyReference = `docker.io/aquasec/trivy:${trivyVersion}`

/**
 * Releases that carried malicious code (advisory GHSA-69fq-xp46-6x23): never run, whoever asks for them.
 */
const compromised = ["0.69.4", "0.69.5", "0.69.6"]

/** Whether a version ("0.69.4", "v0.69.4") or a reference that ends in it must not be run. */
export function isCompromisedTrivy(versionOrReference: string): boolean {
  const version = /(\d+\.\d+\.\d+)(?:[-@][^/]*)?$/.exec(versionOrReference)?.[1]
  return version !== undefined && compromised.includes(version)
}

/** Where the image that is made from packages has its database: a dated subset of well-known advisories. */
export const subsetFolder = "/opt/gantry/trivy"

export const trivyBuild: GoBuild = {
  title: `Trivy ${trivyVersion}`,
  module: "engine/modules/trivy",
  packages: ["github.com/aquasecurity/trivy/cmd/trivy", "trivy-tool/mkdb"],
  ldflags: `-s -w -X github.com/aquasecurity/trivy/pkg/version/app.ver=${trivyVersion}`,
  env: { GOEXPERIMENT: "jsonv2" },
  expectedSeconds: 300,
}

export const recipes: readonly Recipe[] = [
  {
    references: [trivyReference],
    provides: `Trivy ${trivyVersion} from Go modules, with a dated subset of advisories`,
    expectedSeconds: 15,
    dockerfile: `FROM parent AS database
COPY mkdb advisories.json /tmp/
RUN /tmp/mkdb ${subsetFolder} < /tmp/advisories.json
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
