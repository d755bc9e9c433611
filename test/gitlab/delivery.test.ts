import { rm } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { measures } from "../../clients/sonarqube/index.js"
import { engineConfig } from "../../engine/index.js"
import { reachServer } from "../../steps/sonarqube/server.js"
import { makePipeline, pipelineRecord } from "./pipeline.js"
import { statuses, urls, versionAt } from "../e2e/rig.js"

/**
 * Both services of the shop, Node and Java, by all the steps there are: the generated .gitlab-ci.yml job by job as GitLab would
 * start them, on the real engine; then the same commit by one process, as on a laptop.
 */
let ci: Awaited<ReturnType<typeof makePipeline>>
beforeAll(async () => {
  ci = await makePipeline({ project: "e2egitlab", services: ["catalog", "order"] })
})
afterAll(async () => {
  await ci.gitlab.close()
  await ci.rig.remove()
  await rm(`${ci.rig.dir}.git`, { recursive: true, force: true })
})

/** What the run deployed answers with its commit. */
async function everywhere(record: Awaited<ReturnType<typeof pipelineRecord>>): Promise<void> {
  const deployed = record.steps.flatMap((s) => s.reports.filter((r) => r.kind === "deployment"))
  expect(deployed.length).toBeGreaterThan(0)
  for (const { url } of deployed) expect((await versionAt(url)).commit, url).toBe(record.commit)
}

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
      "order.sonarqube": "success",
      "catalog.uat-checks": "success",
      "order.uat-checks": "success",
      "catalog.rollout-prod": "pending",
      "order.rollout-prod": "pending",
    })
    await everywhere(record)
    expect(urls(record)).not.toHaveProperty("prod")
  })

  it("deploys nothing to PROD when its job is started without a decision", async () => {
    const run = await ci.play("catalog.rollout-prod")
    expect(run.code, run.output).not.toBe(0)
    expect(urls(await pipelineRecord(ci.rig))).not.toHaveProperty("prod")
  })

  it("is delivered to PROD when an approver plays the gate", async () => {
    ci.playedBy("lin.release")
    for (const job of ["gate", "catalog.rollout-prod", "order.rollout-prod", "feedback-final"]) {
      const run = await ci.play(job)
      expect(run.code, run.output).toBe(0)
    }
    const record = await pipelineRecord(ci.rig)
    expect(record.status).toBe("success")
    expect(new Set(Object.values(statuses(record)))).toEqual(new Set(["success", "skipped"]))
    await everywhere(record)
    expect(ci.gitlab.violations).toEqual([])
  })

  it("is delivered on a laptop: by every step, one digest of each service everywhere, the called service first", async () => {
    const run = await ci.rig.gantry(["run", "delivery"])
    expect(run.code, run.stderr).toBe(4)
    const approved = await ci.rig.gantry(["approve", "last", "--as", "Lin Release", "--reason", "same", "--resume"])
    expect(approved.code, approved.stderr).toBe(0)
    const record = await ci.rig.record()
    const sonar = await reachServer(engineConfig.parse({}), undefined, new AbortController().signal)
    expect(record.status).toBe("success")
    expect(new Set(Object.values(statuses(record)))).toEqual(new Set(["success", "skipped"]))
    const started = (step: string) => Date.parse(record.steps.find((s) => s.id === step)?.startedAt ?? "")
    const finished = (step: string) => Date.parse(record.steps.find((s) => s.id === step)?.finishedAt ?? "")
    expect(started("order.deploy-test")).toBeGreaterThanOrEqual(finished("catalog.deploy-test"))
    expect(started("order.rollout-prod")).toBeGreaterThanOrEqual(finished("catalog.rollout-prod"))
    for (const service of ["catalog", "order"]) {
      const steps = record.steps.filter((s) => s.service === service)
      const reports = steps.flatMap((s) => s.reports)
      const digests = reports.flatMap((r) => (r.kind === "image" || r.kind === "deployment" ? [r.digest] : []))
      expect(digests.length, service).toBeGreaterThan(3)
      expect(new Set(digests).size, service).toBe(1)
      expect(reports.some((r) => r.kind === "quality-gate" && r.status === "passed")).toBe(true)
      // LCOV and JaCoCo's reports, with paths of the containers, and classes that the tests kept: all found their files.
      const { coverage } = await measures(sonar.session, `e2egitlab:${service}`, ["coverage"])
      expect(Number(coverage), service).toBeGreaterThan(60)
      const kept = steps.find((s) => s.id === `${service}.trivy`)?.artifacts.map((a) => a.path) ?? []
      expect(kept.some((path) => /cdx|sbom/.test(path))).toBe(true)
    }
    await everywhere(record)
  })

  it("did the same in both", async () => {
    const parity = await ci.rig.gantry(["parity", "last", join(ci.rig.dir, ".gantry/ci/feedback/run.json")])
    expect(parity.code, parity.stdout + parity.stderr).toBe(0)
    expect(parity.stdout).toContain("did the same")
  })
})
