import { appendFile, readdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { readJournal } from "../../../core/journal.js"
import { existingRun, listRuns, openStore, readRun } from "../../../core/store.js"
import { startProgram, runProgram } from "./fixtures/child.js"
import { deliver, endless, world, worldIn, type KillPoint } from "./fixtures/pipelines.js"
import { onlyRun, runPipeline, temporaryProject, thrown, until } from "./rig.js"

/** Real processes, killed: what they had recorded is all that the next one knows. */
const timeout = 120_000

/** Kills a delivery at a point. */
async function killed(project: string, killAt: KillPoint, resume?: string) {
  const order = { pipeline: "deliver", project, world: worldIn(project), killAt } as const
  const end = await runProgram(resume === undefined ? order : { ...order, resume })
  expect(end).toMatchObject({ signal: "SIGKILL", answer: undefined })
}

const name = (point: KillPoint) => (typeof point === "string" ? point : `at ${point.event} ${point.step ?? ""}`)

describe("SIGKILL, then resume", { timeout }, () => {
  const points: readonly (KillPoint & {})[] = [
    { event: "step-started", step: "source" },
    "in-pure",
    { event: "artifact-kept", step: "build" },
    { event: "step-finished", step: "build" },
    { event: "effect-started", step: "deploy" },
    "before-acting",
    "after-acting",
    { event: "step-finished", step: "deploy" },
    "behind",
    { event: "run-finished" },
  ]

  it.for(points.map((point) => [name(point), point] as const))("%s", async ([, point]) => {
    const project = await temporaryProject()
    const outside = world(worldIn(project))
    await killed(project, point)
    const before = await onlyRun(project)
    expect(before.record.status).toBe("running")

    const { record, statuses, step } = await runPipeline(deliver(worldIn(project)), { project, resume: before.id })
    expect(statuses).toEqual({
      source: "success",
      build: "success",
      deploy: "success",
      check: "success",
      beside: "success",
    })
    expect(record.id).toBe(before.id)
    expect(step("check")?.output).toBe("sha256:1")
    expect(outside.count("deployed")).toBe(1)
    expect(step("deploy")?.effect).toBeUndefined()
    // Only a step whose end was not recorded runs again.
    const done = before.record.steps.filter((s) => s.status === "success").map((s) => s.id)
    for (const id of done) expect(step(id)?.attempts).toBe(before.record.steps.find((s) => s.id === id)?.attempts)
    // No scratch folder of a killed attempt stays.
    expect((await readdir(before.dir)).sort()).toEqual(["artifacts", "events.ndjson", "run.json", "steps"])
    expect(JSON.parse(await readFile(join(before.dir, "run.json"), "utf8"))).toEqual(record)
  })

  it("asks the target whether the effect took place, and only when it may have", async () => {
    const project = await temporaryProject()
    await killed(project, "after-acting")
    const { id, record } = await onlyRun(project)
    expect(record.steps.find((s) => s.id === "deploy")).toMatchObject({ status: "running", effect: "deploy:sha256:1" })
    const { step } = await runPipeline(deliver(worldIn(project)), { project, resume: id })
    expect(step("deploy")?.reason).toBe("reconciled: the effect had taken place")
    expect(world(worldIn(project)).lines()).toEqual(["built", "deployed", "reconciled"])
  })

  it("survives being killed again and again, also while it asks the target", async () => {
    const project = await temporaryProject()
    await killed(project, "before-acting")
    const { id } = await onlyRun(project)
    await killed(project, "reconciling", id)
    await killed(project, "after-acting", id)
    await killed(project, "reconciling", id)
    await killed(project, { event: "run-finished" }, id)
    const { record } = await runPipeline(deliver(worldIn(project)), { project, resume: id })
    expect(record.status).toBe("success")
    expect(world(worldIn(project)).count("deployed")).toBe(1)
  })

  it("goes on behind a line that was being written when the process died", async () => {
    const project = await temporaryProject()
    await killed(project, "behind")
    const { id, dir } = await onlyRun(project)
    await appendFile(join(dir, "events.ndjson"), '{"type":"step-finished","step":"check","status":"succ')
    const { statuses } = await runPipeline(deliver(worldIn(project)), { project, resume: id })
    expect(new Set(Object.values(statuses))).toEqual(new Set(["success"]))
    for (const event of await readJournal(join(dir, "events.ndjson"))) expect(event).toHaveProperty("type")
  })

  it("before anything was recorded leaves no run behind that could be mistaken for one", async () => {
    const project = await temporaryProject()
    await killed(project, { event: "run-started" })
    const store = openStore(project)
    for (const id of await listRuns(store)) expect((await readRun(store, id)).status).toBe("running")
    const folders = await readdir(join(store.root, "runs"))
    expect(folders).toHaveLength(1)
    const resumable = await existingRun(store, folders[0] ?? "").catch(() => undefined)
    if (resumable === undefined) expect(await listRuns(store)).toEqual([])
  })
})

describe("two processes on one run", { timeout }, () => {
  it("are one too many: the second is refused while the first lives, and takes over when it is dead", async () => {
    const project = await temporaryProject()
    const outside = world(worldIn(project))
    const first = startProgram({ pipeline: "endless", project, world: worldIn(project) })
    try {
      await until("the first process is in its step", () => outside.count("began") === 1)
      const { id } = await onlyRun(project)
      const refused = {
        code: "RUN-LOCKED",
        kind: "usage",
        reason: expect.stringContaining(`Process ${first.pid} `) as string,
      }
      expect(await thrown(() => runPipeline(endless(worldIn(project)), { project, resume: id }))).toMatchObject(refused)
      const second = await runProgram({ pipeline: "endless", project, world: worldIn(project), resume: id })
      expect(second).toMatchObject({ code: 3, answer: { error: refused } })

      first.kill("SIGKILL")
      await until("the first process is dead", () => first.signalCode === "SIGKILL")
      const { record } = await runPipeline(endless(worldIn(project)), { project, resume: id })
      expect(record.status).toBe("success")
    } finally {
      first.kill("SIGKILL")
    }
  })
})
