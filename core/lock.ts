import { createHash, randomBytes } from "node:crypto"
import { link, mkdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { dirname } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fault, type Fault } from "./errors.js"
import { fileFault } from "./files.js"
import { isAlive, thisProcess, type ProcessMark } from "./process-mark.js"

/** Who holds a lock. */
export interface LockOwner extends ProcessMark {
  /** ISO 8601. */
  readonly since: string
  /** What it does, for those who wait. */
  readonly what: string
  /** Tells two locks of one process apart. */
  readonly token: string
  /** Its owner renews it more often than so many seconds; one that was not renewed is nobody's, on whichever host. */
  readonly lease?: number | undefined
}

/**
 * Takes a lock file, or says who holds it. A lock whose process is gone is taken over.
 * @returns the function that releases it
 * @throws RUN-LOCKED, DISK-FULL, FILE-DENIED
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  const taken = await tryLock(path, what)
  if ("release" in taken) return taken.release
  throw locked(what, path, taken.owner)
}

/**
 * Runs `work` while this process alone holds the lock file. A living owner is waited for, and told to the caller once by
 * `onWait`. Two calls inside one process exclude each other as well.
 * @throws LOCK-INTERRUPTED when `signal` fires while it waits, DISK-FULL, FILE-DENIED
 */
export async function withLock<T>(
  path: string,
  what: string,
  work: () => Promise<T>,
  options: {
    readonly signal?: AbortSignal | undefined
    readonly onWait?: (owner: LockOwner) => void
    /** For a lock that other hosts see, too: seconds after which it expires when its owner does not renew it. */
    readonly leaseSeconds?: number
  } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true }).catch((cause: unknown) => {
    throw fileFault(cause, path)
  })
  let told = false
  for (;;) {
    const taken = await tryLock(path, what, options.leaseSeconds)
    if ("release" in taken) {
      const stop = renew(path, options.leaseSeconds)
      try {
        return await work()
      } finally {
        stop()
        await taken.release()
      }
    }
    if (!told && taken.owner !== undefined) {
      told = true
      options.onWait?.(taken.owner)
    }
    if (options.signal?.aborted === true) throw interrupted(what)
    // Not all at once: whoever waits for the same lock looks at another moment.
    await pause(20 + Math.random() * 80, undefined, { ...(options.signal && { signal: options.signal }) }).catch(() => {
      throw interrupted(what)
    })
  }
}

/** Whether a living process holds the lock. */
export async function isLocked(path: string): Promise<boolean> {
  const owner = ownerIn(await read(path))
  return owner !== undefined && (await isHeld(path, owner))
}

/** Removes a lock whatever its owner does. Only for a person who knows that the owner is gone. */
export async function breakLock(path: string): Promise<void> {
  await rm(path, { force: true })
}

/** Whether the owner lives, as far as it can be told; one on another host by the age of its lease. */
async function isHeld(path: string, owner: LockOwner): Promise<boolean> {
  if (!(await isAlive(owner))) return false
  if (owner.host === hostname() || owner.lease === undefined) return true
  const file = await stat(path).catch(() => undefined)
  return file !== undefined && Date.now() - file.mtimeMs < owner.lease * 1000
}

/** When a lock expires unless its owner renews it; undefined for one that never does. */
export async function expiryOf(path: string, owner: LockOwner): Promise<Date | undefined> {
  const file = await stat(path).catch(() => undefined)
  return owner.lease === undefined || file === undefined ? undefined : new Date(file.mtimeMs + owner.lease * 1000)
}

function renew(path: string, leaseSeconds: number | undefined): () => void {
  if (leaseSeconds === undefined) return () => undefined
  const timer = setInterval(
    () => {
      const now = new Date()
      // Removed by somebody who broke it: the next look at it will tell.
      utimes(path, now, now).catch(() => undefined)
    },
    (leaseSeconds * 1000) / 3,
  )
  timer.unref()
  return () => clearInterval(timer)
}

/** What to do about a lock that somebody else holds. */
export function lockHint(path: string, owner: Pick<LockOwner, "host"> | undefined): string {
  return owner !== undefined && owner.host !== hostname()
    ? `Wait for it. Whether that process is alive cannot be seen from this host; if it is not: rm ${path}`
    : "Wait for it, or stop that process; the lock of a process that is gone is taken over by itself."
}

/** Who holds a lock, as its file says; undefined when it is free or rubbish. */
export async function lockOwner(path: string): Promise<LockOwner | undefined> {
  return ownerIn(await read(path))
}

type Taken = { readonly release: () => Promise<void> } | { readonly owner: LockOwner | undefined }

async function tryLock(path: string, what: string, lease?: number): Promise<Taken> {
  const token = randomBytes(8).toString("hex")
  const mine: LockOwner = {
    ...(await thisProcess()),
    since: new Date().toISOString(),
    what,
    token,
    ...(lease === undefined ? {} : { lease }),
  }
  const own = `${path}.${process.pid}.${token}`
  try {
    await writeFile(own, JSON.stringify(mine))
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await linkNew(own, path)) return { release: () => release(path, token) }
      const content = await read(path)
      const owner = ownerIn(content)
      if (owner !== undefined && (await isHeld(path, owner))) return { owner }
      if (content !== undefined) await removeDead(path, content, own)
    }
    return { owner: undefined }
  } catch (cause) {
    throw fileFault(cause, path)
  } finally {
    await rm(own, { force: true })
  }
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
 * Removes a lock of which `content` is known to be nobody's. Several processes may have found that at the same time, and a
 * slow one must not remove the fresh lock of a faster one. So only who holds the guard of this very content removes it, and
 * looks again before: as long as the content is there, nobody else can have removed it. A guard whose holder died is a
 * dead lock itself, and removed the same way.
 */
async function removeDead(path: string, content: string, own: string): Promise<void> {
  const guard = `${path}.${createHash("sha256").update(content).digest("hex").slice(0, 16)}`
  if (!(await linkNew(own, guard))) {
    const held = await read(guard)
    const holder = ownerIn(held)
    if (held !== undefined && (holder === undefined || !(await isAlive(holder)))) await removeDead(guard, held, own)
    return
  }
  try {
    if ((await read(path)) === content) await rm(path, { force: true })
  } finally {
    await rm(guard, { force: true })
  }
}

async function release(path: string, token: string): Promise<void> {
  if (ownerIn(await read(path))?.token === token) await rm(path, { force: true })
}

/** Undefined when there is no such file, which is not the same as one with rubbish in it. */
async function read(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined
    throw cause
  })
}

function ownerIn(content: string | undefined): LockOwner | undefined {
  try {
    const owner = JSON.parse(content ?? "") as Partial<LockOwner> | null
    return typeof owner?.pid === "number" && typeof owner.host === "string" ? (owner as LockOwner) : undefined
  } catch {
    return undefined
  }
}

function locked(what: string, path: string, owner: LockOwner | undefined): Fault {
  return fault({
    code: "RUN-LOCKED",
    kind: "usage",
    message: `${what} is being worked on by another process`,
    reason:
      owner === undefined
        ? "Several processes try to take it."
        : `Process ${owner.pid} on ${owner.host}, since ${owner.since}.`,
    hint: lockHint(path, owner),
  })
}

/** The fault of work that was told to stop while it waited. */
function interrupted(what: string): Fault {
  return fault({
    code: "LOCK-INTERRUPTED",
    kind: "cancelled",
    message: `Interrupted: ${what}`,
    hint: "Run the same command again: what was finished is kept.",
  })
}
