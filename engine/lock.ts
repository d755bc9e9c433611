import { randomBytes } from "node:crypto"
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { dirname } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../core/errors.js"

/** Who holds a lock. `startedAt` is the kernel's start time of the process (clock ticks), so that a reused pid is noticed. */
export interface LockOwner {
  readonly pid: number
  readonly host: string
  readonly startedAt: string | undefined
  readonly what: string
  readonly token: string
}

/** Start time of a process in clock ticks since boot (proc_pid_stat(5), field 22), `undefined` when it does not run. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, "utf8")
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19]
  } catch {
    return undefined
  }
}

/** Whether the owner is certainly gone. Of another machine (a shared home) nobody can tell, so it counts as alive. */
export async function isStale(owner: LockOwner): Promise<boolean> {
  if (owner.host !== hostname()) return false
  if (owner.startedAt !== undefined) return (await startOf(owner.pid)) !== owner.startedAt
  try {
    process.kill(owner.pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH"
  }
}

async function readOwner(path: string): Promise<LockOwner | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as LockOwner
  } catch {
    return undefined
  }
}

async function tryTake(path: string, owner: LockOwner): Promise<boolean> {
  // Written beside and linked into place: the lock never exists without its owner in it.
  const temporary = `${path}.${owner.token}`
  await writeFile(temporary, JSON.stringify(owner))
  try {
    await link(temporary, path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error
    return false
  } finally {
    await rm(temporary, { force: true })
  }
}

/**
 * Runs `work` while this process alone holds the lock file. A lock whose owner died is taken over; a living owner is
 * waited for, and told to the caller once by `onWait`. Two calls inside one process exclude each other as well.
 * Errors: SUPPLY-INTERRUPTED when `signal` fires while it waits.
 */
export async function withLock<T>(
  path: string,
  what: string,
  work: () => Promise<T>,
  options: { readonly signal?: AbortSignal | undefined; readonly onWait?: (owner: LockOwner) => void } = {},
): Promise<T> {
  await mkdir(dirname(path), { recursive: true })
  const owner: LockOwner = {
    pid: process.pid,
    host: hostname(),
    startedAt: await startOf(process.pid),
    what,
    token: randomBytes(6).toString("hex"),
  }
  let told = false
  while (!(await tryTake(path, owner))) {
    const other = await readOwner(path)
    if (other !== undefined && (await isStale(other))) {
      // Only this very owner's file is removed; somebody may have taken it over in between.
      if ((await readOwner(path))?.token === other.token) await rm(path, { force: true })
      continue
    }
    if (!told && other !== undefined) options.onWait?.(other)
    told = true
    if (options.signal?.aborted === true) throw interrupted(what)
    await sleep(100, undefined, options.signal === undefined ? {} : { signal: options.signal }).catch(() => {
      throw interrupted(what)
    })
  }
  try {
    return await work()
  } finally {
    if ((await readOwner(path))?.token === owner.token) await rm(path, { force: true })
  }
}

/** The fault of work that was told to stop. */
export function interrupted(what: string): Error {
  return fault({
    code: "SUPPLY-INTERRUPTED",
    kind: "cancelled",
    message: `Interrupted: ${what}`,
    hint: "Run the same command again: what was finished is kept.",
  })
}
