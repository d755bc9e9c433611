import { copyFile, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fault } from "../../core/errors.js"
import { matchesGlob } from "../../core/condition.js"
import { hashJson } from "../../core/json.js"
import { git, tryGit, type GitOptions } from "../git.js"

/** What a path in a git tree is. */
export interface TreeEntry {
  /** Octal, e.g. 100755. 160000 is a submodule. */
  readonly mode: string
  readonly object: string
  /** Relative to the tree, forward slashes. */
  readonly path: string
}

/** Every file of a tree. `git ls-tree -r -z`. */
export async function listTree(tree: string, options: GitOptions): Promise<readonly TreeEntry[]> {
  const text = await git(["ls-tree", "-r", "-z", "--full-tree", tree], options)
  return text
    .split("\0")
    .filter((line) => line !== "")
    .map((line) => {
      const [meta = "", path = ""] = line.split("\t")
      const [mode = "", , object = ""] = meta.split(" ")
      return { mode, object, path }
    })
}

/**
 * Tree of the project's folder in a commit: the commit's own tree where the project is the whole repository.
 * @throws SOURCE-FOLDER when the commit does not have that folder
 */
export async function committedTree(commit: string, prefix: string, options: GitOptions): Promise<string> {
  const name = prefix === "" ? `${commit}^{tree}` : `${commit}:${prefix.replace(/\/$/, "")}`
  const answer = await tryGit(["rev-parse", "--verify", "--quiet", name], options)
  if (answer.exitCode === 0) return answer.stdout.trim()
  throw fault({
    code: "SOURCE-FOLDER",
    kind: "usage",
    message: `Commit ${commit.slice(0, 12)} does not have the folder ${prefix} of this project`,
    hint: "Commit the project's files first, or deliver a later commit.",
  })
}

/**
 * Tree of the work tree as it is now: what is ignored stays out, and so does `.gantry`. A temporary index does it, the
 * user's is not touched; the objects go into the repository's own store, unreferenced, as those of `git stash` do.
 */
export async function snapshotTree(prefix: string, options: GitOptions): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "gantry-index-"))
  try {
    const index = join(scratch, "index")
    const userIndex = (await git(["rev-parse", "--path-format=absolute", "--git-path", "index"], options)).trim()
    // The copy knows times and sizes of the files, so that git reads only the changed ones.
    await copyFile(userIndex, index).catch(() => undefined)
    const top = (await git(["rev-parse", "--show-toplevel"], options)).trim()
    const own = { ...options, cwd: top, env: { GIT_INDEX_FILE: index } }
    // Not `git add`: it takes no exclusion of a folder that is ignored as well.
    const listing = ["ls-files", "-z", "--others", "--modified", "--deleted", "--exclude-standard"]
    const paths = (await git([...listing, "--", prefix === "" ? "." : prefix], own))
      .split("\0")
      // A name that ends with a slash is another repository inside this one.
      .filter((path) => path !== "" && !path.endsWith("/") && !path.startsWith(`${prefix}.gantry/`))
    await git(["update-index", "-z", "--add", "--remove", "--replace", "--stdin"], { ...own, input: paths.join("\0") })
    return (await git(["write-tree", ...(prefix === "" ? [] : [`--prefix=${prefix}`])], own)).trim()
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/**
 * Hash of what a service depends on: the tree object of its folder and the objects that its declared inputs match.
 * @param files Every file of the delivered tree.
 * @param folder The service's folder relative to the project, "." for the project itself.
 * @param inputs Globs from the project's root.
 * @returns undefined when the tree has no such folder
 */
export function serviceHash(
  files: readonly TreeEntry[],
  folder: string,
  inputs: readonly string[],
): string | undefined {
  const prefix = folder === "." || folder === "" ? "" : `${folder.replace(/^\.\//, "").replace(/\/$/, "")}/`
  const inside = files.filter((file) => file.path.startsWith(prefix))
  if (inside.length === 0) return undefined
  const more = files.filter((file) => inputs.some((glob) => matchesGlob(glob, file.path)))
  return hashJson({
    folder: inside.map((file) => [file.mode, file.object, file.path.slice(prefix.length)]),
    inputs: more.map((file) => [file.mode, file.object, file.path]),
  })
}
