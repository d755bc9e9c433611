import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { listRuns, openStore, readLog, readState } from "../../core/store.js"
import { dockerClient, engineConfig } from "../../engine/index.js"
import { makeRig, statuses, type Rig } from "./rig.js"

/** SIGINT, SIGKILL and a killed engine in the middle of a real delivery; each time `gantry resume` completes it. */
describe("bad luck in the middle of a delivery", () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await makeRig({ project: "e2ecrash" })
  })
  afterAll(() => rig.remove())

  const newest = async () => (await listRuns(openStore(rig.dir)))[0]

  /** Waits until a step of the newest run is in a state, as the journal tells. */
  async function until(step: string, status: string, since: string | undefined): Promise<string> {
    const deadline = Date.now() + 300_000
    for (;;) {
      const id = await newest()
      if (id !== undefined && id !== since) {
        const state = await readState(openStore(rig.dir), id).catch(() => undefined)
        const found = state?.index.get(step)?.status
        if (found === status) return id
        if (found === "failed" || found === "errored") throw new Error(`${step} is ${found}`)
      }
      if (Date.now() > deadline) throw new Error(`${step} did not get ${status}`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  /** Waits until a step's log has a text: then its session is open and its work under way. */
  async function untilLog(run: string, step: string, text: string): Promise<void> {
    const deadline = Date.now() + 120_000
    while ((await readLog(openStore(rig.dir), run, step))?.includes(text) !== true) {
      if (Date.now() > deadline) throw new Error(`the log of ${step} never had "${text}"`)
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  it("SIGINT cancels cleanly with 130; resume completes", async () => {
    const child = rig.start(["run", "delivery", "--until", "catalog.push"])
    const id = await until("catalog.unit-tests", "running", undefined)
    child.kill("SIGINT")
    expect((await child).exitCode).toBe(130)
    expect((await rig.record(id)).status).toBe("cancelled")
    const resumed = await rig.gantry(["resume", id])
    expect(resumed.code, resumed.stderr).toBe(0)
  })

  it("SIGKILL while TEST is deployed; resume completes without doing anything twice", async () => {
    const before = await newest()
    const child = rig.start(["run", "delivery", "--until", "catalog.acceptance"])
    const id = await until("catalog.deploy-test", "running", before)
    child.kill("SIGKILL")
    await child
    const resumed = await rig.gantry(["resume", id])
    expect(resumed.code, resumed.stderr).toBe(0)
    const record = await rig.record(id)
    expect(statuses(record)).toMatchObject({ "catalog.push": "success", "catalog.acceptance": "success" })
    expect(record.steps.find((s) => s.id === "catalog.push")?.attempts).toBe(1)
  })

  it("the engine killed under a run: errored, and completed by the next attempt or by resume", async () => {
    await rig.change("shop/catalog/package.json", (text) => text.replace('"version": "1.0.0"', '"version": "1.0.3"'))
    const before = await newest()
    const child = rig.start(["run", "delivery", "--until", "catalog.push"])
    const id = await until("catalog.unit-tests", "running", before)
    await untilLog(id, "catalog.unit-tests", "npm ")
    await dockerClient(engineConfig.parse({})).getContainer("gantry-engine").kill()
    const { exitCode, stderr } = await child
    expect(String(stderr)).toContain("ENGINE-LOST")
    // Steps that may be tried again start the engine anew by themselves; what is errored all the same is for resume.
    expect([0, 3], String(stderr)).toContain(exitCode)
    if (exitCode === 3) {
      const resumed = await rig.gantry(["resume", id])
      expect(resumed.code, resumed.stderr).toBe(0)
    }
    expect((await rig.record(id)).status).toBe("success")
  })
})
