import { createHash, randomBytes } from "node:crypto"
import { createReadStream } from "node:fs"
import { mkdir, open, readFile, readdir, rename, rm, stat } from "node:fs/promises"
import { dirname, join, relative } from "node:path"
import { fault, isFault } from "../core/errors.js"

/** Whether a path exists, whatever it is. */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

/** Writes a file so that a crash leaves the old one or the new one, never half of either. */
export async function writeAtomic(path: string, data: string | Uint8Array, mode = 0o644): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}.tmp`
  try {
    const file = await open(temporary, "w", mode)
    try {
      await file.writeFile(data)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw diskFull(error, path) ?? error
  }
}

/** Writes a file atomically unless it has this content already: what is mounted into a container keeps its inode. */
export async function writeChanged(path: string, text: string): Promise<void> {
  if ((await readFile(path, "utf8").catch(() => undefined)) !== text) await writeAtomic(path, text)
}

/** JSON of a file, or `undefined` when there is none or it cannot be read: a broken cache is an empty one. */
export async function readJson(path: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as unknown
  } catch {
    return undefined
  }
}

/** SHA-256 (hex) of a file, streamed. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash("sha256")
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest("hex")
}

/** SHA-256 (hex) of a file, or of a folder's sorted paths and contents. */
export async function hashTree(path: string): Promise<string> {
  if (!(await stat(path)).isDirectory()) return hashFile(path)
  const hash = createHash("sha256")
  for (const file of await listFiles(path)) hash.update(`${relative(path, file)}\0${await hashFile(file)}\n`)
  return hash.digest("hex")
}

/** Every file below a folder, sorted, absolute if the folder is. */
export async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { withFileTypes: true })
  const nested = await Promise.all(
    entries.map((entry) => (entry.isDirectory() ? listFiles(join(folder, entry.name)) : [join(folder, entry.name)])),
  )
  return nested.flat().sort()
}

/** SHA-256 (hex) of a text. */
export function hashText(text: string): string {
  return createHash("sha256").update(text).digest("hex")
}

/** A full disk as a fault, whoever met it (Node's ENOSPC, a tool's own words); anything else is `undefined`. */
export function diskFull(error: unknown, where: string): Error | undefined {
  if (isFault(error)) return undefined
  const text =
    error instanceof Error ? `${(error as NodeJS.ErrnoException).code ?? ""} ${error.message}` : String(error)
  if (!/ENOSPC|EDQUOT|no space left on device|disk quota exceeded/i.test(text)) return undefined
  return fault({
    code: "SUPPLY-DISK-FULL",
    kind: "errored",
    message: `The disk is full: ${where} could not be written`,
    reason: text.trim(),
    hint: `Free some space (df -h ${where}; docker system df), then run the same command again: what was finished is kept.`,
    cause: error,
  })
}
