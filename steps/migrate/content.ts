import { matchesGlob } from "../../core/condition.js"
import { fault } from "../../core/errors.js"
import { hashJson } from "../../core/json.js"
import { listTree, type TreeEntry } from "../checkout/tree.js"
import type { GitOptions } from "../git.js"
import type { Release, Source } from "../outputs.js"
import type { Service } from "../service.js"

/**
 * What a service's migration applies, as a hash: over the files that it names in the delivered tree, else the release itself.
 * @throws MIGRATION-NO-FILES, and the errors of git
 */
export async function migrationContent(
  service: Pick<Service, "name" | "path" | "migrations">,
  source: Pick<Source, "tree">,
  release: Pick<Release, "digest">,
  at: GitOptions,
): Promise<string> {
  const globs = service.migrations?.files ?? []
  if (globs.length === 0) return release.digest
  const found = matching(await listTree(source.tree, at), service.path, globs)
  if (found.length > 0) return `sha256:${hashJson(found.map((file) => [file.mode, file.object, file.path]))}`
  throw fault({
    code: "MIGRATION-NO-FILES",
    kind: "failed",
    message: `Service ${service.name} names migrations that are not there`,
    reason: `Nothing in ${service.path} matches ${globs.join(", ")}.`,
    hint: "Correct `migrations.files` of its gantry.service.yaml: globs, relative to the service's folder.",
  })
}

/** Files of a service that globs match, by their paths in the service's folder. */
export function matching(files: readonly TreeEntry[], folder: string, globs: readonly string[]): readonly TreeEntry[] {
  const prefix = folder === "." ? "" : `${folder}/`
  return files
    .filter((file) => file.path.startsWith(prefix))
    .map((file) => ({ ...file, path: file.path.slice(prefix.length) }))
    .filter((file) => globs.some((glob) => matchesGlob(glob, file.path)))
}
