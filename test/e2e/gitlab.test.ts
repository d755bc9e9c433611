import { rm } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { makePipeline, pipelineRecord } from "./gitlab.js"
import { statuses, urls, versionAt } from "./rig.js"

/** The generated .gitlab-ci.yml, job by job as GitLab would start them, on the real engine; then the same on the laptop. */
let ci: Awaited<ReturnType<typeof makePipeline>>
beforeAll(async () => {
  ci = await makePipeline({ project: "e2egitlab" })
})
afterAll(async () => {
  await ci.gitlab.close()
  await ci.rig.remove()
  await rm(`${ci.rig.dir}.git`, { recursive: true, force: true })
})

describe("the shop's pipeline in GitLab CI", () => {
  it("reaches TEST and UAT, and goes no further when the author plays the gate", async () => {
    ci.playedBy("chen.dev")
    const run = await ci.play("--manual", "gate")
    expect(run.code, run.output).not.toBe(0)
    expect(run.output).toContain("GATE-AUTHOR")
    const record = await pipelineRecord(ci.rig)
    expect(statuses(record)).toMatchObject({
      "code-review": "skipped",
      "catalog.sonarqube": "success",
      "catalog.uat-checks": "success",
      "catalog.rollout-prod": "pending",
    })
    expect((await versionAt(urls(record)["uat"])).commit).toBe(record.commit)
    expect(urls(record)).not.toHaveProperty("prod")
  })

  it("deploys nothing to PROD when its job is started without a decision", async () => {
    const run = await ci.play("catalog.rollout-prod")
    expect(run.code, run.output).not.toBe(0)
    expect(urls(await pipelineRecord(ci.rig))).not.toHaveProperty("prod")
  })

  it("is delivered to PROD when an approver plays the gate", async () => {
    ci.playedBy("lin.release")
    for (const job of ["gate", "catalog.rollout-prod", "feedback-final"]) {
      const run = await ci.play(job)
      expect(run.code, run.output).toBe(0)
    }
    const record = await pipelineRecord(ci.rig)
    expect(record.status).toBe("success")
    expect(new Set(Object.values(statuses(record)))).toEqual(new Set(["success", "skipped"]))
    expect((await versionAt(urls(record)["prod"])).commit).toBe(record.commit)
    expect(ci.gitlab.violations).toEqual([])
  })

  it("did what the same commit does on a laptop", async () => {
    const run = await ci.rig.gantry(["run", "delivery"])
    expect(run.code, run.stderr).toBe(4)
    const approved = await ci.rig.gantry(["approve", "last", "--as", "Lin Release", "--reason", "same", "--resume"])
    expect(approved.code, approved.stderr).toBe(0)
    const parity = await ci.rig.gantry(["parity", "last", join(ci.rig.dir, ".gantry/ci/feedback/run.json")])
    expect(parity.code, parity.stdout + parity.stderr).toBe(0)
    expect(parity.stdout).toContain("did the same")
  })
})
