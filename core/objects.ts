import { createReadStream } from "node:fs"
import { copyFile, link, mkdir, mkdtemp, open, readdir, rename, rm, stat } from "node:fs/promises"
import { createHash } from "node:crypto"
import { dirname, join, relative } from "node:path"
import { pipeline as pipe } from "node:stream/promises"
import type { Artifact, Artifacts } from "./artifacts.js"
import { fault } from "./errors.js"
import { fileFault } from "./files.js"

/**
 * Artifacts of a run. Bytes lie once under `.gantry/objects/<sha256>` and are hard-linked into the runs that have them:
 * a cached step costs no copy of a 200 MB image archive.
 */
export function runArtifacts(options: {
  readonly storeRoot: string
  readonly runDir: string
  readonly step: string
  kept(artifact: Artifact): void
}): Artifacts {
  const { storeRoot, runDir, step } = options
  const put: Artifacts["put"] = async (name, source) => {
    const path = join("artifacts", step, name)
    try {
      const object =
        "text" in source ? await storeText(storeRoot, source.text) : await storeFile(storeRoot, source.file)
      await linkInto(join(storeRoot, "objects", object.sha256), join(runDir, path))
      const artifact = { path, ...object }
      options.kept(artifact)
      return artifact
    } catch (cause) {
      throw fileFault(cause, join(runDir, path))
    }
  }
  return {
    put,
    async putFolder(prefix, folder) {
      const entries = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
      const artifacts: Artifact[] = []
      for (const file of files.sort()) artifacts.push(await put(join(prefix, relative(folder, file)), { file }))
      return artifacts
    },
    open: (artifact) => openArtifact(runDir, artifact),
  }
}

/** Absolute path of an artifact after checking it. @throws ARTIFACT-MISSING, ARTIFACT-TAMPERED */
export async function openArtifact(runDir: string, artifact: Artifact): Promise<string> {
  const path = join(runDir, artifact.path)
  const found = await hashFile(path).catch(() => undefined)
  if (found?.sha256 === artifact.sha256) return path
  throw fault({
    code: found === undefined ? "ARTIFACT-MISSING" : "ARTIFACT-TAMPERED",
    kind: "errored",
    message:
      found === undefined
        ? `Artifact ${artifact.path} is missing`
        : `Artifact ${artifact.path} is not what was recorded`,
    reason: found === undefined ? path : `Recorded sha256 ${artifact.sha256}, found ${found.sha256}.`,
    hint: "Start a new run; an artifact is never rebuilt behind the back of what was recorded about it.",
  })
}

/** Puts recorded artifacts of another run into this one. False when an object is gone: then the cache does not serve. */
export async function relinkArtifacts(
  storeRoot: string,
  runDir: string,
  artifacts: readonly Artifact[],
): Promise<boolean> {
  for (const artifact of artifacts) {
    const object = join(storeRoot, "objects", artifact.sha256)
    const size = await stat(object).then(
      (s) => s.size,
      () => undefined,
    )
    if (size !== artifact.size) return false
    await linkInto(object, join(runDir, artifact.path))
  }
  return true
}

async function storeText(root: string, text: string) {
  const scratch = await mkdtemp(join(root, "objects", ".tmp-"))
  const file = join(scratch, "text")
  try {
    const handle = await open(file, "w")
    await handle.writeFile(text)
    await handle.close()
    return await storeFile(root, file)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

async function storeFile(root: string, file: string) {
  const object = await hashFile(file)
  const target = join(root, "objects", object.sha256)
  if (
    (await stat(target).then(
      (s) => s.size,
      () => undefined,
    )) === object.size
  )
    return object
  // A copy, never a link to the step's own file: it might write to that file again.
  const temporary = `${target}.${process.pid}.${Math.random().toString(36).slice(2)}`
  try {
    await copyFile(file, temporary)
    const handle = await open(temporary, "r")
    await handle.sync()
    await handle.close()
    await rename(temporary, target)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
  return object
}

async function linkInto(object: string, path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  await link(object, path).catch(() => copyFile(object, path))
}

async function hashFile(path: string): Promise<{ sha256: string; size: number }> {
  const hash = createHash("sha256")
  await pipe(createReadStream(path), hash)
  return { sha256: hash.digest("hex"), size: (await stat(path)).size }
}
