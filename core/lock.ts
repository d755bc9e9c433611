import { link, readFile, rm, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { fault } from "./errors.js"

interface Owner {
  readonly pid: number
  readonly host: string
  /** Start time of the process in clock ticks since boot (Linux), so that a reused pid is not taken for the owner. */
  readonly started: string
  readonly since: string
}

/**
 * Takes a lock file, or says who holds it. A lock whose process is gone is taken over.
 * @returns the function that releases it
 * @throws RUN-LOCKED
 */
export async function takeLock(path: string, what: string): Promise<() => Promise<void>> {
  const mine: Owner = {
    pid: process.pid,
    host: hostname(),
    started: await startTime(process.pid),
    since: new Date().toISOString(),
  }
  const own = `${path}.${process.pid}`
  await writeFile(own, JSON.stringify(mine))
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        // link() is atomic and fails when the name exists; unlike open("wx") the file is never seen empty.
        await link(own, path)
        return () => rm(path, { force: true })
      } catch (cause) {
        if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause
      }
      const owner = await readOwner(path)
      if (owner !== undefined && (await isAlive(owner))) throw locked(what, owner)
      await rm(path, { force: true })
    }
    throw locked(what, undefined)
  } finally {
    await rm(own, { force: true })
  }
}

async function readOwner(path: string): Promise<Owner | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Owner
  } catch {
    return undefined // Gone in the meantime, or rubbish: nobody holds it.
  }
}

async function isAlive(owner: Owner): Promise<boolean> {
  if (owner.host !== hostname()) return true // Cannot be told from here: better refuse than run twice.
  try {
    process.kill(owner.pid, 0)
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ESRCH") return false
  }
  return owner.started === "" || owner.started === (await startTime(owner.pid))
}

async function startTime(pid: number): Promise<string> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "utf8")
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19] ?? ""
  } catch {
    return "" // No /proc on this system: the pid alone has to do.
  }
}

function locked(what: string, owner: Owner | undefined) {
  return fault({
    code: "RUN-LOCKED",
    kind: "usage",
    message: `${what} is being worked on by another process`,
    reason:
      owner === undefined
        ? "Several processes try to take it."
        : `Process ${owner.pid} on ${owner.host}, since ${owner.since}.`,
    hint: "Wait for it, or stop that process; the lock of a process that is gone is taken over by itself.",
  })
}
