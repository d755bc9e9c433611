import { afterAll, beforeAll, expect, it } from "vitest"
import { dockerClient, engineConfig } from "../../engine/index.js"
import { makeRig, type Rig } from "./rig.js"
import { newestRun, untilLog, untilStep } from "./watch.js"

/** Alone and last: it kills the engine that all the other tests work with, and that loses its cache by it. */
let rig: Rig
beforeAll(async () => {
  rig = await makeRig({ project: "e2ekilled", without: ["sonar", "integration tests"] })
})
afterAll(() => rig.remove())

it("the engine killed under a run: errored, and completed by the next attempt or by resume", async () => {
  await rig.change("shop/catalog/package.json", (text) => text.replace('"version": "1.0.0"', '"version": "1.0.3"'))
  const before = await newestRun(rig.dir)
  const child = rig.start(["run", "delivery", "--until", "catalog.unit-tests"])
  const id = await untilStep(rig.dir, "catalog.unit-tests", "running", before)
  await untilLog(rig.dir, id, "catalog.unit-tests", "npm ")
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
