import { afterAll, beforeAll, expect, it } from "vitest"
import { makeRig, statuses, versionAt, type Rig } from "./rig.js"

/** Both services of the shop in one run: Node and Java by the same steps, the called one first, one gate for both. */
let rig: Rig
beforeAll(async () => {
  rig = await makeRig({ project: "e2eboth", services: ["catalog", "order"] })
})
afterAll(() => rig.remove())

it("delivers catalog and order up to the gate and to PROD", async () => {
  const run = await rig.gantry(["run", "delivery"])
  expect(run.code, run.stderr).toBe(4)
  const { id } = await rig.record()
  const approved = await rig.gantry(["approve", id, "--as", "Lin Release", "--reason", "both", "--resume"])
  expect(approved.code, approved.stderr).toBe(0)
  const record = await rig.record(id)
  const red = Object.entries(statuses(record)).filter(
    ([, status]) => !["success", "cached", "skipped"].includes(status),
  )
  expect(red).toEqual([])
  const started = (step: string) => Date.parse(record.steps.find((s) => s.id === step)?.startedAt ?? "")
  const finished = (step: string) => Date.parse(record.steps.find((s) => s.id === step)?.finishedAt ?? "")
  expect(started("order.deploy-test")).toBeGreaterThanOrEqual(finished("catalog.deploy-test"))
  expect(started("order.rollout-prod")).toBeGreaterThanOrEqual(finished("catalog.rollout-prod"))
  for (const s of record.steps) {
    for (const report of s.reports) {
      if (report.kind !== "deployment") continue
      expect((await versionAt(report.url)).commit).toBe(record.commit)
    }
  }
})
