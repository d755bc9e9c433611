import { execFile, spawn } from "node:child_process"
import { createHash } from "node:crypto"
import { once } from "node:events"
import { readdir, readFile, stat, utimes, writeFile } from "node:fs/promises"
import { hostname } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { describe, expect, it, vi } from "vitest"
import { isLocked, takeLock, withLock, type LockOwner } from "../../../core/lock.js"
import { thisProcess } from "../../../core/process-mark.js"
import { compiledProgram } from "./fixtures/compiled.js"
import { temporaryProject, thrown } from "./rig.js"

async function deadProcess() {
  const child = spawn("true")
  await once(child, "exit")
  return { ...(await thisProcess()), pid: child.pid ?? 0, since: "2026-01-01T00:00:00.000Z", token: "t" }
}

describe("takeLock", () => {
  it("refuses a second owner and says who holds it", async () => {
    const path = join(await temporaryProject(), "lock")
    const release = await takeLock(path, "Run 1")
    expect(await isLocked(path)).toBe(true)
    expect(await thrown(() => takeLock(path, "Run 1"))).toMatchObject({
      code: "RUN-LOCKED",
      kind: "usage",
      message: "Run 1 is being worked on by another process",
      reason: expect.stringContaining(`Process ${process.pid} on ${hostname()}`) as string,
    })
    await release()
    expect(await isLocked(path)).toBe(false)
    await (
      await takeLock(path, "Run 1")
    )()
  })

  it.each<[string, () => Promise<string>]>([
    ["a process that is gone", async () => JSON.stringify(await deadProcess())],
    ["a process whose pid was given away", async () => JSON.stringify({ ...(await thisProcess()), started: "1" })],
    ["a process before the last boot", async () => JSON.stringify({ ...(await thisProcess()), boot: "another" })],
    ["nobody (an empty file)", () => Promise.resolve("")],
    ["nobody (rubbish)", () => Promise.resolve('{"pid":')],
    ["nobody (other JSON)", () => Promise.resolve("null")],
  ])("takes over the lock of %s", async (_, content) => {
    const dir = await temporaryProject()
    await writeFile(join(dir, "lock"), await content())
    const release = await takeLock(join(dir, "lock"), "Run 1")
    expect(JSON.parse(await readFile(join(dir, "lock"), "utf8"))).toMatchObject({ pid: process.pid })
    expect(await readdir(dir)).toEqual(["lock"])
    await release()
    expect(await readdir(dir)).toEqual([])
  })

  it("lets only one of many take over a dead lock", async () => {
    const dead = JSON.stringify(await deadProcess())
    for (let round = 0; round < 20; round++) {
      const dir = await temporaryProject()
      await writeFile(join(dir, "lock"), dead)
      const results = await Promise.allSettled(Array.from({ length: 8 }, () => takeLock(join(dir, "lock"), "Run 1")))
      expect(results.filter((r) => r.status === "fulfilled")).toHaveLength(1)
      expect(await readdir(dir)).toEqual(["lock"])
    }
  })

  it("gets past the guard of a process that died while it took a lock over, and past that one's", async () => {
    const dir = await temporaryProject()
    const dead = JSON.stringify(await deadProcess())
    const guarded = (path: string) => `${path}.${createHash("sha256").update(dead).digest("hex").slice(0, 16)}`
    for (const path of ["lock", guarded("lock"), guarded(guarded("lock"))]) await writeFile(join(dir, path), dead)
    await (
      await takeLock(join(dir, "lock"), "Run 1")
    )()
    expect(await readdir(dir)).toEqual([])
  })

  it("does not judge a process of another host, and says how to get on", async () => {
    const path = join(await temporaryProject(), "lock")
    await writeFile(path, JSON.stringify({ ...(await deadProcess()), host: "runner-7" }))
    expect(await thrown(() => takeLock(path, "Run 1"))).toMatchObject({
      code: "RUN-LOCKED",
      reason: expect.stringContaining("runner-7") as string,
      hint: expect.stringContaining(`rm ${path}`) as string,
    })
  })

  it("does not release a lock that is another's by now", async () => {
    const path = join(await temporaryProject(), "lock")
    const release = await takeLock(path, "Run 1")
    const other = JSON.stringify({ ...(await thisProcess()), since: "", token: "other" })
    await writeFile(path, other)
    await release()
    expect(await readFile(path, "utf8")).toBe(other)
  })
})

describe("withLock", () => {
  it("lets one work at a time", async () => {
    const path = join(await temporaryProject(), "folder", "lock")
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
    const path = join(await temporaryProject(), "lock")
    await expect(withLock(path, "test", () => Promise.reject(new Error("no")))).rejects.toThrow("no")
    await expect(withLock(path, "test", () => Promise.resolve(7))).resolves.toBe(7)
  })

  it("waits for an owner on another machine until it is interrupted, and says for whom", async () => {
    const path = join(await temporaryProject(), "lock")
    await writeFile(path, JSON.stringify({ ...(await deadProcess()), host: "elsewhere" }))
    const stop = new AbortController()
    const told: LockOwner[] = []
    const waiting = withLock(path, "test", () => Promise.resolve(1), {
      signal: stop.signal,
      onWait: (other) => {
        told.push(other)
        stop.abort()
      },
    })
    await expect(waiting).rejects.toMatchObject({ code: "LOCK-INTERRUPTED", kind: "cancelled" })
    expect(told.map((other) => other.host)).toEqual(["elsewhere"])
    expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ host: "elsewhere" })
  })

  it("is held by one of several processes at a time, also after one of them was killed with it", async () => {
    const dir = await temporaryProject()
    const path = join(dir, "lock")
    // Each adds one to a number that it reads before and writes after a moment: two at once would lose some.
    await writeFile(join(dir, "count"), "0")
    await writeFile(path, JSON.stringify(await deadProcess()))
    const run = promisify(execFile)
    const program = compiledProgram("counter")
    await Promise.all(Array.from({ length: 4 }, () => run(process.execPath, [program, dir, "25"])))
    expect(await readFile(join(dir, "count"), "utf8")).toBe("100")
    expect((await readdir(dir)).sort()).toEqual(["count"])
  })
})

describe("a lock with a lease", () => {
  const foreign = async (lease?: number) =>
    JSON.stringify({ ...(await thisProcess()), host: "elsewhere", since: "", what: "", token: "t", lease })

  it("of another host is taken over when it was not renewed in time, and not before", async () => {
    const path = join(await temporaryProject(), "lock")
    await writeFile(path, await foreign(60))
    expect(await isLocked(path)).toBe(true)
    const old = new Date(Date.now() - 61_000)
    await utimes(path, old, old)
    expect(await isLocked(path)).toBe(false)
    await withLock(path, "work", async () => {
      expect(JSON.parse(await readFile(path, "utf8"))).toMatchObject({ pid: process.pid })
    })
    // One that never expires stays its owner's.
    await writeFile(path, await foreign())
    await utimes(path, old, old)
    expect(await isLocked(path)).toBe(true)
  })

  it("is renewed as long as its owner works", async () => {
    const path = join(await temporaryProject(), "lock")
    await withLock(
      path,
      "work",
      async () => {
        const first = (await stat(path)).mtimeMs
        await vi.waitUntil(async () => (await stat(path)).mtimeMs > first, { timeout: 5000, interval: 10 })
      },
      { leaseSeconds: 0.1 },
    )
  })
})
