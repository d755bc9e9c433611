import { mkdir, readFile, rename, rm, stat } from "node:fs/promises"
import { resolve } from "node:path"
import { fault } from "../core/errors.js"
import { writeDurably } from "../core/files.js"
import type { RunInfo } from "../core/step.js"
import { git, tryGit } from "./git.js"
import type { Source } from "./outputs.js"

/** Steps of one process that ask at the same time share the work. */
const inProgress = new Map<string, Promise<string>>()

/**
 * Absolute path of the exact tree that is delivered: the files of the project's folder as git has them, nothing that git
 * ignores, no `.git`. Made where it is missing (another process, a resumed run) and again when a file in it was changed.
 * Read only: whoever needs to write works on a copy.
 * @throws SOURCE-TREE when the repository does not have the tree, GIT-MISSING, GIT-NO-REPOSITORY, DISK-FULL
 */
export async function sourceDir(run: RunInfo, source: Pick<Source, "tree" | "commit">): Promise<string> {
  const key = `${run.dir}\0${source.tree}`
  const running = inProgress.get(key)
  if (running !== undefined) return running
  const promise = materialise(run, source)
  inProgress.set(key, promise)
  try {
    return await promise
  } finally {
    inProgress.delete(key)
  }
}

async function materialise(run: RunInfo, source: Pick<Source, "tree" | "commit">): Promise<string> {
  const dir = resolve(run.dir, "source")
  const marker = `${dir}.tree`
  const index = `${dir}.index`
  const recorded = await readFile(marker, "utf8").catch(() => undefined)
  const gitDir = (await git(["rev-parse", "--absolute-git-dir"], { cwd: run.project })).trim()
  if (recorded === source.tree && (await untouched(gitDir, dir, index))) return dir

  await requireTree(run.project, source)
  const building = `${dir}.${process.pid}.tmp`
  const temporaryIndex = `${index}.${process.pid}.tmp`
  try {
    await rm(marker, { force: true })
    await rm(building, { recursive: true, force: true })
    await mkdir(building, { recursive: true })
    // Not `git archive`: that leaves out what .gitattributes calls export-ignore. Line ends as they are in the repository.
    const options = { cwd: building, env: { GIT_DIR: gitDir, GIT_WORK_TREE: building, GIT_INDEX_FILE: temporaryIndex } }
    const raw = ["-c", "core.autocrlf=false", "-c", "core.eol=lf", "-c", "core.sparseCheckout=false"]
    await git([...raw, "read-tree", source.tree], options)
    await git([...raw, "checkout-index", "--all", "--force", "--index"], options).catch((cause: unknown) => {
      throw onDisk(cause, building)
    })
    await rm(dir, { recursive: true, force: true })
    await rename(temporaryIndex, index)
    await rename(building, dir)
    await writeDurably(marker, source.tree)
  } finally {
    await rm(building, { recursive: true, force: true })
    await rm(temporaryIndex, { force: true })
  }
  return dir
}

/** Git compares the files with the index that made them; by times and sizes, so that it costs milliseconds. */
async function untouched(gitDir: string, dir: string, index: string): Promise<boolean> {
  const there = await Promise.all([dir, index].map((path) => stat(path).catch(() => undefined)))
  if (there.includes(undefined)) return false
  const options = { cwd: dir, env: { GIT_DIR: gitDir, GIT_WORK_TREE: dir, GIT_INDEX_FILE: index } }
  const raw = ["-c", "core.autocrlf=false", "-c", "core.eol=lf"]
  const changed = await tryGit([...raw, "diff-files", "--quiet"], options)
  if (changed.exitCode !== 0) return false
  const extra = await tryGit(["ls-files", "--others"], options)
  return extra.exitCode === 0 && extra.stdout === ""
}

async function requireTree(project: string, source: Pick<Source, "tree" | "commit">): Promise<void> {
  const type = await tryGit(["cat-file", "-t", source.tree], { cwd: project })
  if (type.exitCode === 0 && type.stdout.trim() === "tree") return
  throw fault({
    code: "SOURCE-TREE",
    kind: "errored",
    message: `This repository does not have the tree ${source.tree.slice(0, 12)} of commit ${source.commit.slice(0, 12)}`,
    reason: `${project}: ${type.stderr || `it is a ${type.stdout.trim()}`}`,
    hint: "git fetch --unshallow origin (a run of another clone can only be carried on where its commit is), then `gantry resume` the run.",
  })
}

function onDisk(cause: unknown, path: string): unknown {
  const reason = (cause as { readonly reason?: string }).reason ?? ""
  if (!/no space left on device|disk quota/i.test(reason)) return cause
  return fault({
    code: "DISK-FULL",
    kind: "errored",
    message: `The disk is full: the source tree cannot be written to ${path}`,
    reason,
    hint: "Free some space (old runs lie in .gantry/runs), then `gantry resume` the run.",
    cause,
  })
}
