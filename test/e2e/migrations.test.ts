import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makeRig, requestLoop, statuses, urls, versionAt, type Rig } from "./rig.js"

/** Databases on the way to production: before the instances, not without approval, and what stops them. */
describe("migrations of a delivery", () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await makeRig({ project: "e2emigrate", without: ["sonar", "integration tests"] })
  })
  afterAll(() => rig.remove())

  it("come before each deployment, in PROD with the approval that names them", async () => {
    const run = await rig.gantry(["run", "delivery"])
    expect(run.code, run.stderr).toBe(4)
    const { id } = await rig.record()
    const approved = await rig.gantry(["approve", id, "--as", "Lin Release", "--reason", "tested", "--resume"])
    expect(approved.code, approved.stderr).toBe(0)
    const record = await rig.record()
    const step = (name: string) => record.steps.find((s) => s.id === `catalog.${name}`)
    for (const [migration, deployment] of [
      ["migrate-test", "deploy-test"],
      ["migrate-uat", "deploy-uat"],
      ["migrate-prod", "rollout-prod"],
    ] as const) {
      expect(step(migration)).toMatchObject({ status: "success", output: { applied: true, compatible: true } })
      const [ended, began] = [step(migration)?.finishedAt ?? "", step(deployment)?.startedAt ?? ""]
      expect(Date.parse(began)).toBeGreaterThanOrEqual(Date.parse(ended))
    }
  })

  it("that fail stop the release before any instance has changed", async () => {
    const url = urls(await rig.record())["test"] ?? ""
    const before = await versionAt(url)
    await writeFile(
      join(rig.dir, "shop/catalog/migrations/004_broken.sql"),
      "ALTER TABLE nowhere ADD COLUMN IF NOT EXISTS here INT NULL;\n",
    )
    await rig.git("add", ".")
    await rig.git("commit", "-q", "-m", "A migration that cannot work")
    const loop = requestLoop(`${url}/version`)
    const run = await rig.gantry(["run", "delivery", "--until", "catalog.deploy-test"])
    const { total, failures } = await loop.stop()
    expect(run.code, run.stderr).toBe(1)
    expect(run.stderr).toContain("nowhere")
    const record = await rig.record()
    expect(record.steps.find((s) => s.id === "catalog.migrate-test")?.error?.code).toBe("MIGRATION-FAILED")
    expect(statuses(record)).toMatchObject({ "catalog.migrate-test": "failed", "catalog.deploy-test": "skipped" })
    expect(await versionAt(url)).toEqual(before)
    expect(failures).toEqual([])
    expect(total).toBeGreaterThan(100)
    await rig.git("revert", "--no-edit", "HEAD")
  })

  it("that the release before cannot live with are refused with a rolling deployment", async () => {
    await writeFile(
      join(rig.dir, "shop/catalog/migrations/004_taken.sql"),
      "ALTER TABLE products DROP COLUMN IF EXISTS discontinued_at;\n",
    )
    await rig.git("add", ".")
    await rig.change("shop/catalog/gantry.service.yaml", (text) =>
      text.replace(/^( +)run: node src\/migrate-once\.js$/m, "$&\n$1compatible: false"),
    )
    const run = await rig.gantry(["run", "delivery", "--until", "catalog.deploy-test"])
    expect(run.code, run.stderr).toBe(1)
    expect(run.stderr).toContain("MIGRATION-INCOMPATIBLE")
  })
})
