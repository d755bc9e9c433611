import { readdir, readFile, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { config, hostStep, makeProject, targets } from "./rig.js"

const pipelines = {
  /** Waits in `slow` until the file `go` is there. */
  slow: [
    hostStep("first", ""),
    hostStep(
      "slow",
      'writeFileSync("slow-began", ""); await until("go", signal)',
      'after: [first], ensure: async () => { writeFileSync("cleaned", "") },',
    ),
    hostStep("last", "", "after: [slow],"),
    targets("last"),
  ].join("\n"),
  /** Does not listen to the signal. */
  deaf: [
    hostStep("deaf", 'writeFileSync("deaf-began", ""); await until("go", new AbortController().signal)'),
    targets("deaf"),
  ].join("\n"),
  /** An effect that takes place, and then does not come to its end. */
  effect: [
    hostStep("before", 'appendFileSync("before", "x")'),
    hostStep(
      "deploy",
      'appendFileSync("deployed", "x"); await until("go", signal)',
      'after: [before], effect: { key: () => "deploy:1", retry: { attempts: 1 }, reconcile: async () => (existsSync("deployed") ? null : undefined) },',
    ),
    hostStep("check", 'appendFileSync("checked", "x")', "after: [deploy],"),
    targets("check"),
  ].join("\n"),
}
const project = () => makeProject(config(pipelines))
type Project = Awaited<ReturnType<typeof project>>

const recordOf = async ({ gantry }: Project) =>
  JSON.parse((await gantry("show", "last", "--json")).stdout) as {
    id: string
    status: string
    steps: { id: string; status: string; attempts: number; reason?: string }[]
  }
/** What pure steps did is written down with a short delay; waits until the beginning of this one is. */
async function journalled({ dir }: Project, step: string): Promise<void> {
  const runs = join(dir, ".gantry/runs")
  for (const deadline = Date.now() + 60_000; Date.now() < deadline; await new Promise((done) => setTimeout(done, 20))) {
    const [run = "none"] = await readdir(runs)
    const text = await readFile(join(runs, run, "events.ndjson"), "utf8").catch(() => "")
    if (text.includes(`"type":"step-started","step":"${step}"`)) return
  }
  throw new Error(`the beginning of ${step} was not written down`)
}
const statuses = (record: Awaited<ReturnType<typeof recordOf>>) => record.steps.map((s) => `${s.id} ${s.status}`)

describe("an interruption", () => {
  it("SIGINT once: cancels, cleans up, records, 130; resume completes", async () => {
    const p = await project()
    const { child, ended } = p.start(["run", "slow"])
    await p.appears("slow-began")
    child.kill("SIGINT")
    const result = await ended
    expect(result).toMatchObject({ code: 130, signal: null })
    expect(result.stderr).toContain("SIGINT: cancelling")
    await stat(join(p.dir, "cleaned"))
    const record = await recordOf(p)
    expect(record.status).toBe("cancelled")
    expect(statuses(record)).toEqual(["first success", "slow cancelled", "last skipped"])

    await writeFile(join(p.dir, "go"), "")
    expect((await p.gantry("resume", "last")).code).toBe(0)
    const after = await recordOf(p)
    expect(after.id).toBe(record.id)
    expect(statuses(after)).toEqual(["first success", "slow success", "last success"])
    expect(after.steps[0]?.attempts).toBe(1)
  })

  it.each(["SIGTERM", "SIGHUP"] as const)("%s is the same", async (name) => {
    const p = await project()
    const { child, ended } = p.start(["run", "slow"])
    await p.appears("slow-began")
    child.kill(name)
    expect(await ended).toMatchObject({ code: 130, signal: null, stderr: expect.stringContaining(name) as string })
    await stat(join(p.dir, "cleaned"))
  })

  it("twice: leaves at once, also when a step does not listen; resume completes", async () => {
    const p = await project()
    const { child, ended } = p.start(["run", "deaf"])
    await p.appears("deaf-began")
    child.kill("SIGINT")
    const told = new Promise<void>((resolve) => {
      let text = ""
      child.stderr?.on("data", (chunk: string) => (text += chunk).includes("cancelling") && resolve())
    })
    await told
    const since = Date.now()
    child.kill("SIGINT")
    expect(await ended).toMatchObject({
      code: 130,
      signal: null,
      stderr: expect.stringContaining("Left at once") as string,
    })
    expect(Date.now() - since).toBeLessThan(30_000)
    await writeFile(join(p.dir, "go"), "")
    expect((await p.gantry("resume", "last")).code).toBe(0)
  })
})

describe("SIGKILL", () => {
  it("in the middle of an effect: resume looks whether it took place, and does not repeat it", async () => {
    const p = await project()
    const { child, ended } = p.start(["run", "effect"])
    await p.appears("deployed")
    child.kill("SIGKILL")
    expect(await ended).toMatchObject({ signal: "SIGKILL" })
    const { code, stderr } = await p.gantry("resume", "last")
    expect(code).toBe(0)
    expect(stderr).toContain("reconciled")
    for (const name of ["before", "deployed", "checked"])
      expect(await readFile(join(p.dir, name), "utf8"), name).toBe("x")
    expect(statuses(await recordOf(p))).toEqual(["before success", "deploy success", "check success"])
  })
  it("leaves a run that show, runs and logs can read, and that nobody locks", async () => {
    const p = await project()
    const { child, ended } = p.start(["run", "slow"])
    await p.appears("slow-began")
    await journalled(p, "slow")
    child.kill("SIGKILL")
    await ended
    expect(await p.gantry("runs")).toMatchObject({ code: 0 })
    expect(statuses(await recordOf(p))).toEqual(["first success", "slow running", "last pending"])
    expect((await p.gantry("logs", "last", "first")).code).toBe(0)
    await writeFile(join(p.dir, "go"), "")
    expect((await p.gantry("resume", "last")).code).toBe(0)
    const run = join(p.dir, ".gantry/runs", (await recordOf(p)).id)
    expect((await readdir(run)).filter((name) => name.startsWith(".scratch-") || name.includes("lock"))).toEqual([])
  })
})

it("a run that another process works on is refused, and goes on undisturbed", async () => {
  const p = await project()
  const { ended } = p.start(["run", "slow"])
  await p.appears("slow-began")
  const second = await p.gantry("resume", "last")
  expect(second.code).toBe(2)
  expect(second.stderr).toMatch(/RUN-LOCKED: Run \S+ is being worked on by another process[^]*Process \d+ on /)
  await writeFile(join(p.dir, "go"), "")
  expect((await ended).code).toBe(0)
})

it("a run of another version of the pipeline is not gone on with", async () => {
  const p = await project()
  const { child, ended } = p.start(["run", "slow"])
  await p.appears("slow-began")
  child.kill("SIGINT")
  await ended
  await writeFile(
    join(p.dir, "gantry.config.ts"),
    config({ slow: [hostStep("only", ""), targets("only")].join("\n") })["gantry.config.ts"] ?? "",
  )
  const { code, stderr } = await p.gantry("resume", "last")
  expect(code).toBe(2)
  expect(stderr).toContain("RUN-PIPELINE-CHANGED")
})
