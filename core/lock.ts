import { randomBytes } from "node:crypto"
import { link, readFile, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { fault, type Fault } from "./errors.js"
import { fileFault } from "./files.js"
import { isAlive, thisProcess, type ProcessMark } from "./process-mark.js"

interface Owner extends ProcessMark {
  readonly since: string
  /** Tells two locks of one process apart. */
  readonly token: string
}

/**
 * Takes a lock file, or says who holds it. A lock whose process is gone is taken over.
 * @returns the function that releases it
 * @throws RUN-LOCKED, DISK-FULL, FILE-DENIED
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  const token = randomBytes(8).toString("hex")
  const mine: Owner = { ...(await thisProcess()), since: new Date().toISOString(), token }
  const own = `${path}.${process.pid}.${token}`
  try {
    await writeFile(own, JSON.stringify(mine))
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await linkNew(own, path)) return () => release(path, token)
      const owner = await readOwner(path)
      if (owner !== undefined && (await isAlive(owner))) throw locked(what, path, owner)
      await removeStale(path, own)
    }
    throw locked(what, path, undefined)
  } catch (cause) {
    throw fileFault(cause, path)
  } finally {
    await rm(own, { force: true })
  }
}

/** Whether a living process holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  const owner = await readOwner(path)
  return owner !== undefined && (await isAlive(owner))
}

/** link() is atomic and fails when the name exists; unlike open("wx") the file is never seen empty. */
async function linkNew(own: string, path: string): Promise<boolean> {
  try {
    await link(own, path)
    return true
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "EEXIST") return false
    throw cause
  }
}

/**
 * Removes a lock that nobody holds. Two processes may have found it dead: without a guard the slower one would remove
 * the fresh lock of the faster one. So they take turns, and the second looks again.
 */
async function removeStale(path: string, own: string): Promise<void> {
  const guard = `${path}.takeover`
  if (!(await linkNew(own, guard))) {
    const other = await readOwner(guard)
    if (other === undefined || !(await isAlive(other))) await rm(guard, { force: true })
    return
  }
  try {
    const owner = await readOwner(path)
    if (owner === undefined || !(await isAlive(owner))) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

async function release(path: string, token: string): Promise<void> {
  if ((await readOwner(path))?.token === token) await rm(path, { force: true })
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    const owner = JSON.parse(await readFile(path, "utf8")) as Partial<Owner> | null
    return typeof owner?.pid === "number" && typeof owner.host === "string" ? (owner as Owner) : undefined
  } catch {
    return undefined // Gone in the meantime, or rubbish: nobody holds it.
  }
}

function locked(what: string, path: string, owner: Owner | undefined): Fault {
  const elsewhere = owner !== undefined && owner.host !== hostname()
  return fault({
    code: "RUN-LOCKED",
    kind: "usage",
    message: `${what} is being worked on by another process`,
    reason:
      owner === undefined
        ? "Several processes try to take it."
        : `Process ${owner.pid} on ${owner.host}, since ${owner.since}.`,
    hint: elsewhere
      ? `Wait for it. Whether that process is alive cannot be seen from this host; if it is not: rm ${path}`
      : "Wait for it, or stop that process; the lock of a process that is gone is taken over by itself.",
  })
}
