import { execFileSync } from "node:child_process"
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, describe, expect, it } from "vitest"
import { existsSync, readFileSync } from "node:fs"
import { runProgram } from "./fixtures/child.js"
import { chatty, heavy, world } from "./fixtures/pipelines.js"
import { onlyRun, runPipeline, temporaryProject, thrown } from "./rig.js"

const kilobyte = 1024
const timeout = 120_000

/** Everything that was recorded before the disk was full is still there, and a resume goes on from it. */
async function expectNothingLost(project: string, worldFile: string, steps: number, size: number) {
  const { id, record } = await onlyRun(project)
  const done = record.steps.filter((s) => s.status === "success").map((s) => s.id)
  expect(done.length).toBeGreaterThan(3)
  expect(done.length).toBeLessThan(steps)
  expect(done).toEqual(record.steps.slice(0, done.length).map((s) => s.id))

  const outside = world(worldFile)
  const ranBefore = outside.lines().length
  const resumed = await runPipeline(chatty(worldFile, steps, size), { project, resume: id })
  expect(resumed.record.status).toBe("success")
  expect(resumed.record.steps.every((s) => typeof s.output === "string" && s.output.length === size)).toBe(true)
  for (const s of done) expect(outside.count(s)).toBe(1)
  expect(outside.lines().length - ranBefore).toBe(steps - done.length)
}

describe("a process whose files may not grow (RLIMIT_FSIZE)", { timeout }, () => {
  it("stops with DISK-FULL, and resume completes what was recorded", async () => {
    const project = await temporaryProject()
    const worldFile = join(await temporaryProject(), "world.txt")
    const order = { pipeline: "chatty", project, world: worldFile, steps: 40, size: 4 * kilobyte } as const
    const end = await runProgram(order, 64 * kilobyte)
    expect(end).toMatchObject({ code: 3, answer: { error: { code: "DISK-FULL", kind: "errored" } } })
    expect(end.answer?.error?.message).toMatch(/^The disk is full: .*events\.ndjson|run\.json/)
    expect(end.answer?.error?.hint).toContain("gantry resume")
    await expectNothingLost(project, worldFile, 40, 4 * kilobyte)
  })

  it("records an artifact that does not fit as errored, and goes on with the rest", async () => {
    const project = await temporaryProject()
    const order = { pipeline: "heavy", project, world: "", size: 2 * kilobyte * kilobyte } as const
    const end = await runProgram(order, 256 * kilobyte)
    expect(end).toMatchObject({ code: 0, answer: { status: "errored" } })
    const { record } = await onlyRun(project)
    expect(record.steps.find((s) => s.id === "put")).toMatchObject({ status: "errored", error: { code: "DISK-FULL" } })
    expect(record.steps.find((s) => s.id === "beside")?.status).toBe("success")
  })
})

/** Mounts a small file system of its own on a new folder. @throws where this process may not mount */
function mountSmall(): string {
  const dir = mkdtempSync(join(tmpdir(), "gantry-full-"))
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=256k", "gantry-test", dir], { stdio: "ignore" })
    return dir
  } catch (cause) {
    rmdirSync(dir)
    throw cause
  }
}

function unmount(dir: string): void {
  execFileSync("umount", [dir])
  rmdirSync(dir)
}

function mayMount(): boolean {
  try {
    unmount(mountSmall())
    return true
  } catch {
    return false
  }
}

/** Where this process may mount, the same once more with a file system that is full; what is tested above holds everywhere. */
function onSmallDisk(): void {
  let dir = ""
  const size = (text: string) => execFileSync("mount", ["-o", `remount,size=${text}`, dir])
  beforeEach(() => {
    dir = mountSmall()
  })
  afterEach(() => unmount(dir))

  it("stops the run with DISK-FULL, and with more space resume completes what was recorded", async () => {
    const worldFile = join(await temporaryProject(), "world.txt")
    // Steps do not wait for the disk. The files for readers could fill it before the journal's first batch is out.
    const recorded = async (step: number) => {
      if (step !== 8) return
      const [id = ""] = readdirSync(join(dir, ".gantry/runs"))
      const journal = () => readFileSync(join(dir, ".gantry/runs", id, "events.ndjson"), "utf8")
      await expect.poll(journal).toContain('"type":"step-finished","step":"s-4"')
    }
    const error = await thrown(() => runPipeline(chatty(worldFile, 80, 4 * kilobyte, recorded), { project: dir }))
    expect(error).toMatchObject({ code: "DISK-FULL", kind: "errored" })
    size("8m")
    await expectNothingLost(dir, worldFile, 80, 4 * kilobyte)
  })

  it("errs the step whose artifact does not fit, leaves no half of it, and records the run", async () => {
    const { record, step, dir: runDir } = await runPipeline(heavy(kilobyte * kilobyte), { project: dir })
    expect(record.status).toBe("errored")
    expect(step("put")).toMatchObject({ status: "errored", artifacts: [], error: { code: "DISK-FULL" } })
    expect(step("beside")?.status).toBe("success")
    expect(JSON.parse(readFileSync(join(runDir, "run.json"), "utf8"))).toEqual(record)
    expect(existsSync(join(runDir, "artifacts", "put", "big"))).toBe(false)
  })

  it("does not begin a run when nothing can be written at all", async () => {
    const { writeFile } = await import("node:fs/promises")
    await writeFile(join(dir, "filler"), "x".repeat(256 * kilobyte)).catch(() => undefined)
    let ran = 0
    const p = chatty(join(await temporaryProject(), "world.txt"), 3, 1)
    expect(await thrown(() => runPipeline(p, { project: dir, onEvent: () => ran++ }))).toMatchObject({
      code: "DISK-FULL",
    })
    expect(ran).toBeLessThanOrEqual(1)
  })
}
if (mayMount()) describe("a disk that is full (a tmpfs of 256 KiB)", { timeout }, onSmallDisk)
