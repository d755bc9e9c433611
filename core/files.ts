import { open, rename, rm } from "node:fs/promises"
import { dirname } from "node:path"
import { fault, isFault, type Fault } from "./errors.js"

/** Errors for want of space: disk, quota, or a limit on the size of files (`ulimit -f`). */
export function isDiskFull(cause: unknown): cause is NodeJS.ErrnoException {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code
  return code === "ENOSPC" || code === "EDQUOT" || code === "EFBIG"
}

/** Errors of the file system that a person can do something about become faults; the rest stays as it is. */
export function fileFault(cause: unknown, path: string): unknown {
  if (isFault(cause)) return cause
  const code = (cause as NodeJS.ErrnoException).code
  if (isDiskFull(cause)) return diskFull(path, cause)
  if (code === "EACCES" || code === "EROFS" || code === "EPERM") {
    return fault({
      code: "FILE-DENIED",
      kind: "errored",
      message: `${path} cannot be written`,
      reason: (cause as Error).message,
      hint: "Check the owner and the permissions of the folder.",
      cause,
    })
  }
  return cause
}

function diskFull(path: string, cause: unknown): Fault {
  return fault({
    code: "DISK-FULL",
    kind: "errored",
    message: `The disk is full: ${path} cannot be written`,
    reason: (cause as Error).message,
    hint: "Free some space (old runs lie in .gantry/runs, `gantry runs --prune` removes them), then `gantry resume` the run.",
    cause,
  })
}

/** Replaces a file so that a reader sees the old or the new one whole, also after a power cut. @throws DISK-FULL, FILE-DENIED */
export async function writeDurably(path: string, text: string): Promise<void> {
  const temporary = `${path}.${process.pid}.tmp`
  try {
    const file = await open(temporary, "w")
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    await rename(temporary, path)
    await syncFolder(dirname(path))
  } catch (cause) {
    await rm(temporary, { force: true })
    throw fileFault(cause, path)
  }
}

/** A rename is durable when its folder is. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r")
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
