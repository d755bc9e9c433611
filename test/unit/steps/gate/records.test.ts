import { appendFile, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, describe, expect, it } from "vitest"
import { digestOf, lin, makeWorld, removeTemplates, waitingRun } from "./world.js"

afterAll(removeTemplates)

describe("a record that was edited is no proof", () => {
  const finished = (step: string, output: object) =>
    JSON.stringify({
      at: new Date().toISOString(),
      type: "step-finished",
      step,
      status: "success",
      cached: false,
      output,
    }) + "\n"

  it("a gate that its journal says was passed", async () => {
    const world = await makeWorld()
    const { id, dir, runDir } = await waitingRun(world)
    const { evidenceHash } = JSON.parse(await readFile(join(dir, "evidence.json"), "utf8")) as { evidenceHash: string }
    const forged = {
      decision: "approved",
      by: lin.name,
      reason: "x",
      at: "2026-01-01T00:00:00Z",
      expiresAt: "2099-01-01T00:00:00Z",
      evidenceHash,
    }
    await appendFile(join(runDir, "events.ndjson"), finished("gate", forged))
    const { record, step } = await world.resume(id)
    expect(record.status).toBe("failed")
    expect(step("catalog.rollout-prod")?.error).toMatchObject({
      code: "GATE-UNPROVEN",
      reason: "there is no valid decision",
    })
    expect(world.rolledOut).toEqual([])
  })
  it("another digest after the approval", async () => {
    const world = await makeWorld()
    const { id, runDir } = await waitingRun(world)
    await world.decide(id, lin)
    const evil = digestOf("evil")
    const release = {
      service: "catalog",
      reference: `127.0.0.1:5000/shop/catalog@${evil}`,
      tag: "t",
      digest: evil,
      commit: world.commit,
    }
    await appendFile(join(runDir, "events.ndjson"), finished("catalog.push", release))
    const { record, step } = await world.resume(id)
    expect(record.status).toBe("failed")
    expect(step("gate")?.error?.code).toBe("GATE-INCONSISTENT")
    expect(world.rolledOut).toEqual([])
  })
  it("another digest everywhere after the approval: the approval is void", async () => {
    const world = await makeWorld()
    const { id, runDir } = await waitingRun(world)
    await world.decide(id, lin)
    const text = await readFile(join(runDir, "events.ndjson"), "utf8")
    await writeFile(join(runDir, "events.ndjson"), text.replaceAll(digestOf("catalog"), digestOf("evil")))
    const { record } = await world.resume(id)
    expect(record.status).toBe("waiting")
    expect(world.rolledOut).toEqual([])
  })
})
