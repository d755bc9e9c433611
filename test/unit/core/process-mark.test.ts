import { spawn } from "node:child_process"
import { once } from "node:events"
import { describe, expect, it } from "vitest"
import { isAlive, thisProcess } from "../../../core/process-mark.js"

describe("process marks", () => {
  it("know this process", async () => {
    const mark = await thisProcess()
    expect(mark.pid).toBe(process.pid)
    expect(mark.started).toMatch(/^\d+$/)
    expect(await isAlive(mark)).toBe(true)
  })

  it("know a process that is gone", async () => {
    const child = spawn("true")
    const pid = child.pid ?? 0
    await once(child, "exit")
    expect(await isAlive({ ...(await thisProcess()), pid })).toBe(false)
  })

  it("know a process whose pid belongs to another one now, or to another boot", async () => {
    const mark = await thisProcess()
    expect(await isAlive({ ...mark, started: "1" })).toBe(false)
    expect(await isAlive({ ...mark, boot: "00000000-0000-0000-0000-000000000000" })).toBe(false)
  })

  it("take a process of another host for alive: it cannot be seen from here", async () => {
    expect(await isAlive({ ...(await thisProcess()), host: "elsewhere", pid: 1, started: "1" })).toBe(true)
  })

  it("know a killed process for which nobody has waited (a zombie)", async () => {
    // The shell starts a child, becomes a program that never waits for it, and the child ends.
    const parent = spawn("sh", ["-c", "sleep 0.01 & echo $!; exec sleep 60"])
    try {
      const [pid] = (await once(parent.stdout, "data")) as [Buffer]
      const zombie = Number(pid.toString())
      const { readFileSync } = await import("node:fs")
      const state = () => {
        const stat = readFileSync(`/proc/${zombie}/stat`, "utf8")
        return stat.slice(stat.lastIndexOf(")") + 2).split(" ")
      }
      const started = state()[19] ?? ""
      const deadline = Date.now() + 10_000
      while (state()[0] !== "Z" && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve))
      expect(state()[0]).toBe("Z")
      expect(await isAlive({ ...(await thisProcess()), pid: zombie, started })).toBe(false)
    } finally {
      parent.kill("SIGKILL")
    }
  })
})
