import { spawn } from "node:child_process"
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { hostname, tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { withLock, type LockOwner } from "../../../engine/lock.js"

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "gantry-lock-"))
})
afterEach(() => rm(folder, { recursive: true }))

const owner = (fields: Partial<LockOwner>): LockOwner => ({
  pid: process.pid,
  host: hostname(),
  startedAt: "1",
  what: "something",
  token: "t",
  ...fields,
})

async function endedPid(): Promise<number> {
  const child = spawn("true")
  await new Promise((resolve) => child.on("exit", resolve))
  return child.pid ?? 0
}

describe("withLock", () => {
  it("lets one work at a time", async () => {
    const path = join(folder, "a.lock")
    let inside = 0
    let most = 0
    const work = async (): Promise<void> => {
      inside += 1
      most = Math.max(most, inside)
      await new Promise((resolve) => setImmediate(resolve))
      inside -= 1
    }
    await Promise.all([1, 2, 3].map(() => withLock(path, "test", work)))
    expect(most).toBe(1)
  })

  it("gives it back when the work fails", async () => {
    const path = join(folder, "a.lock")
    await expect(withLock(path, "test", () => Promise.reject(new Error("no")))).rejects.toThrow("no")
    await expect(withLock(path, "test", () => Promise.resolve(7))).resolves.toBe(7)
  })

  it("takes over from a process that ended", async () => {
    const path = join(folder, "a.lock")
    await writeFile(path, JSON.stringify(owner({ pid: await endedPid(), startedAt: "123" })))
    await expect(withLock(path, "test", () => Promise.resolve("mine"))).resolves.toBe("mine")
  })

  it("takes over where the pid was given to another process since", async () => {
    const path = join(folder, "a.lock")
    await writeFile(path, JSON.stringify(owner({ pid: process.pid, startedAt: "1" })))
    await expect(withLock(path, "test", () => Promise.resolve("mine"))).resolves.toBe("mine")
  })

  it("waits for an owner on another machine until it is interrupted, and says for whom", async () => {
    const path = join(folder, "a.lock")
    await writeFile(path, JSON.stringify(owner({ host: "elsewhere", pid: 1 })))
    const stop = new AbortController()
    const told: LockOwner[] = []
    const waiting = withLock(path, "test", () => Promise.resolve(1), {
      signal: stop.signal,
      onWait: (other) => {
        told.push(other)
        stop.abort()
      },
    })
    await expect(waiting).rejects.toMatchObject({ code: "SUPPLY-INTERRUPTED", kind: "cancelled" })
    expect(told.map((other) => other.host)).toEqual(["elsewhere"])
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ host: "elsewhere" })
  })
})
