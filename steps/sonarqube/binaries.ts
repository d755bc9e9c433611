import { createReadStream } from "node:fs"
import { stat } from "node:fs/promises"
import { join } from "node:path"
import { extract } from "tar-stream"
import { matchesGlob } from "../../core/condition.js"
import { fault } from "../../core/errors.js"

/** Properties that name folders of compiled classes. */
const names = ["sonar.java.binaries", "sonar.java.test.binaries"] as const

/** Names of the files in a tar archive. */
async function filesIn(tar: string): Promise<readonly string[]> {
  const found: string[] = []
  for await (const entry of createReadStream(tar).pipe(extract())) {
    if (entry.header.type === "file") found.push(entry.header.name)
    entry.resume()
  }
  return found
}

/** Whether one of these paths (a folder, or a pattern of folders or files) holds one of the files. Pure. */
export function holds(paths: string, files: readonly string[]): boolean {
  const tidy = (path: string) => path.trim().replace(/^\.\//, "").replace(/\/+$/, "")
  return paths
    .split(",")
    .map(tidy)
    .some((path) => files.some((file) => matchesGlob(path, tidy(file)) || matchesGlob(`${path}/**`, tidy(file))))
}

/**
 * Checks that the compiled classes which the properties name will be there. The analyser of SonarQube 26.9 does without
 * them and says nothing, so its rules would see less than people believe.
 * @param root absolute folder of the service @param kept tar files of what its tests kept
 * @throws SONAR-BINARIES
 */
export async function checkBinaries(
  properties: Readonly<Record<string, string>>,
  root: string,
  kept: readonly string[],
): Promise<void> {
  const wanted = names.flatMap((name) => {
    const paths = properties[name]
    return paths === undefined ? [] : [{ name, paths }]
  })
  if (wanted.length === 0) return
  const files = (await Promise.all(kept.map(filesIn))).flat()
  for (const { name, paths } of wanted) {
    const inTree = await Promise.all(
      paths.split(",").map((path) => stat(join(root, path.trim())).catch(() => undefined)),
    )
    if (holds(paths, files) || inTree.some((found) => found !== undefined)) continue
    throw fault({
      code: "SONAR-BINARIES",
      kind: "usage",
      message: `There are no compiled classes where ${name} says: ${paths}`,
      reason: `The tests kept ${files.length === 0 ? "nothing" : `${files.length} files, none of them there`}.`,
      hint: `Let the suite keep them, in gantry.service.yaml under tests.unit: keep: ["${paths.split(",")[0]?.trim() ?? ""}/**"]`,
    })
  }
}
