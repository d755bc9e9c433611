import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeRig, requestLoop, statuses, urls, versionAt, type Rig } from "./rig.js"
import { newestRun, untilStep } from "./watch.js"

/** What becomes of a release that is interrupted, that is no commit, that never serves. The cases build on each other. */
describe("a release that does not go straight", () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await makeRig({ project: "e2erelease", without: ["sonar", "integration tests"] })
  })
  afterAll(() => rig.remove())

  it("SIGINT cancels cleanly with 130; resume completes", async () => {
    const child = rig.start(["run", "delivery", "--until", "catalog.push"])
    const id = await untilStep(rig.dir, "catalog.unit-tests", "running", undefined)
    child.kill("SIGINT")
    expect((await child).exitCode).toBe(130)
    expect((await rig.record(id)).status).toBe("cancelled")
    const resumed = await rig.gantry(["resume", id])
    expect(resumed.code, resumed.stderr).toBe(0)
  })

  it("SIGKILL while TEST is deployed; resume completes without doing anything twice", async () => {
    const before = await newestRun(rig.dir)
    const child = rig.start(["run", "delivery", "--until", "catalog.acceptance"])
    const id = await untilStep(rig.dir, "catalog.deploy-test", "running", before)
    child.kill("SIGKILL")
    await child
    const resumed = await rig.gantry(["resume", id])
    expect(resumed.code, resumed.stderr).toBe(0)
    const record = await rig.record(id)
    expect(statuses(record)).toMatchObject({ "catalog.push": "success", "catalog.acceptance": "success" })
    expect(record.steps.find((s) => s.id === "catalog.push")?.attempts).toBe(1)
  })

  it("puts the previous version back when a new one never gets ready", async () => {
    const url = urls(await rig.record())["test"]
    const before = await versionAt(url)
    await rig.change("shop/catalog/gantry.service.yaml", (text) =>
      text.replace("readiness: /ready", "readiness: /never\n  startupTimeout: 10"),
    )
    const loop = requestLoop(`${url}/version`)
    const run = await rig.gantry(["run", "delivery", "--until", "catalog.deploy-test"])
    const { failures } = await loop.stop()
    expect(run.code, run.stderr).toBe(1)
    expect(failures).toEqual([])
    expect(await versionAt(url)).toEqual(before)
    await rig.git("revert", "--no-edit", "HEAD")
  })

  it("delivers a dirty work tree to TEST only", async () => {
    const file = join(rig.dir, "shop/catalog/package.json")
    await writeFile(file, (await readFile(file, "utf8")).replace('"version": "1.0.0"', '"version": "1.0.2"'))
    const run = await rig.gantry(["run", "delivery", "--dirty"])
    await rig.git("checkout", "-q", ".")
    expect(run.code, run.stderr).toBe(0)
    const record = await rig.record()
    expect(record.dirty).toBe(true)
    expect(statuses(record)).toMatchObject({
      "catalog.acceptance": "success",
      "catalog.deploy-uat": "skipped",
      gate: "skipped",
      "catalog.rollout-prod": "skipped",
    })
    expect((await versionAt(urls(record)["test"])).version).toBe("1.0.2")
  })

  it("is built in the session of a surrounding `dagger run`", async () => {
    await rig.change("shop/catalog/package.json", (text) => text.replace('"version": "1.0.0"', '"version": "1.0.4"'))
    const run = await rig.daggerRun(["run", "delivery", "--until", "catalog.push"])
    expect(run.code, run.stderr).toBe(0)
    expect(statuses(await rig.record())).toMatchObject({ "catalog.unit-tests": "success", "catalog.push": "success" })
    // Dagger tells on its own output what its session was asked for.
    const asked = run.stderr.split("\n").filter((line) => line.includes("withExec sh /gantry/"))
    expect(asked.some((line) => line.endsWith("/gantry/catalog.unit-tests"))).toBe(true)
  })
})
