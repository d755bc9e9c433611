import { constants, createReadStream, type BigIntStats } from "node:fs"
import { chmod, copyFile, link, mkdir, open, rename, rm, stat, writeFile } from "node:fs/promises"
import { createHash, randomBytes } from "node:crypto"
import { dirname, join } from "node:path"
import { pipeline as pipe } from "node:stream/promises"
import type { Artifact } from "./artifacts.js"
import { syncFolder } from "./files.js"

/**
 * Bytes of artifacts, each content once under `.gantry/objects/<sha256>`, and hard-linked into the runs that have them: a
 * cached step costs no copy of a 200 MB image archive.
 */
export interface StoredObject {
  readonly sha256: string
  readonly size: number
}

/** Keeps a copy of a file or text, durably. A copy, never a link to the step's own file: it might write to that again. */
export async function storeObject(
  root: string,
  source: { readonly text: string } | { readonly file: string },
): Promise<StoredObject> {
  const temporary = join(root, "objects", `.tmp-${process.pid}-${randomBytes(6).toString("hex")}`)
  try {
    if ("text" in source) await writeFile(temporary, source.text)
    else await copyFile(source.file, temporary, constants.COPYFILE_FICLONE)
    // The copy is hashed, not the source, which may change meanwhile.
    const object = await hashFile(temporary)
    const target = objectPath(root, object.sha256)
    if (await isIntact(target, object)) return object
    await sync(temporary)
    // Several runs share these bytes: nobody should write to them by mistake.
    await chmod(temporary, (await stat(temporary)).mode & 0o555)
    await rename(temporary, target)
    await remember(target, object)
    await syncFolder(dirname(target))
    return object
  } finally {
    await rm(temporary, { force: true })
  }
}

export function objectPath(root: string, sha256: string): string {
  return join(root, "objects", sha256)
}

/** Puts an object into a run directory. */
export async function linkObject(root: string, object: StoredObject, path: string): Promise<void> {
  const source = objectPath(root, object.sha256)
  const checked = known.has(identity(await stat(source, { bigint: true })))
  await mkdir(dirname(path), { recursive: true })
  await rm(path, { force: true })
  try {
    await link(source, path)
  } catch {
    // Another file system, or one without hard links.
    await copyFile(source, path, constants.COPYFILE_FICLONE)
    return
  }
  // Linking changes the file's change time.
  if (checked) await remember(path, object)
}

/**
 * Puts recorded artifacts of another run into this one. False when an object is gone or is not what its name says (it is
 * removed then): the cache does not serve, and the step makes it anew.
 */
export async function relinkArtifacts(
  storeRoot: string,
  runDir: string,
  artifacts: readonly Artifact[],
): Promise<boolean> {
  for (const artifact of artifacts) {
    const object = objectPath(storeRoot, artifact.sha256)
    if (!(await isIntact(object, artifact))) {
      await rm(object, { force: true })
      return false
    }
    await linkObject(storeRoot, artifact, join(runDir, artifact.path))
  }
  return true
}

/** True when the bytes of all the artifacts are there, judged by their sizes. */
export async function hasObjects(storeRoot: string, artifacts: readonly Artifact[]): Promise<boolean> {
  for (const { sha256, size } of artifacts) {
    const found = await stat(objectPath(storeRoot, sha256)).catch(() => undefined)
    if (found?.size !== size) return false
  }
  return true
}

async function isIntact(path: string, expected: StoredObject): Promise<boolean> {
  const found = await hashFile(path).catch(() => undefined)
  return found?.sha256 === expected.sha256
}

/** Hashes by the file they belong to, so that an archive that five steps open is read once. */
const known = new Map<string, StoredObject>()

/** The change time belongs to the key: whoever writes to the file changes it and cannot set it back. */
function identity(s: BigIntStats): string {
  return `${s.dev}:${s.ino}:${s.size}:${s.mtimeNs}:${s.ctimeNs}`
}

async function remember(path: string, object: StoredObject): Promise<void> {
  known.set(identity(await stat(path, { bigint: true })), { sha256: object.sha256, size: object.size })
}

/** SHA-256 and size of a file. @throws what reading throws */
export async function hashFile(path: string): Promise<StoredObject> {
  const before = await stat(path, { bigint: true })
  const hit = known.get(identity(before))
  if (hit !== undefined) return hit
  const hash = createHash("sha256")
  await pipe(createReadStream(path), hash)
  const object = { sha256: hash.digest("hex"), size: Number(before.size) }
  const after = await stat(path, { bigint: true })
  if (identity(after) === identity(before)) known.set(identity(before), object)
  return object
}

async function sync(path: string): Promise<void> {
  const handle = await open(path, "r")
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
