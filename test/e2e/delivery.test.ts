import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { RunRecord } from "../../core/record.js"
import { makeRig, requestLoop, statuses, urls, versionAt, type Rig } from "./rig.js"

/**
 * A commit travels to production, on the real engine, registry, SonarQube, Trivy, HAProxy and MariaDB. The cases build on
 * each other: a delivery takes minutes, and what comes after one is the subject.
 */
describe("gantry run delivery", () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await makeRig({ project: "e2e", without: ["sonar"] })
  })
  afterAll(() => rig.remove())

  it("stops at the gate with one digest in TEST and UAT", async () => {
    const run = await rig.gantry(["run", "delivery"])
    expect(run.stderr).toContain("gantry approve")
    expect(run.code, run.stderr).toBe(4)
    const record = await rig.record()
    expect(statuses(record)).toMatchObject({
      checkout: "success",
      "code-review": "skipped",
      "catalog.unit-tests": "success",
      "catalog.integration-tests": "success",
      "catalog.image": "success",
      "catalog.trivy": "success",
      "catalog.push": "success",
      "catalog.deploy-test": "success",
      "catalog.acceptance": "success",
      "catalog.deploy-uat": "success",
      "catalog.uat-checks": "success",
      gate: "waiting",
      "catalog.rollout-prod": "pending",
    })
    const reports = record.steps.flatMap((s) => s.reports)
    const digests = reports.flatMap((r) => (r.kind === "image" || r.kind === "deployment" ? [r.digest] : []))
    expect(new Set(digests).size).toBe(1)
    const at = urls(record)
    expect(Object.keys(at).sort()).toEqual(["test", "uat"])
    for (const url of Object.values(at)) expect((await versionAt(url)).commit).toBe(record.commit)
  })

  it("refuses the author, takes somebody else, and rolls out the same digest", async () => {
    const { id } = await rig.record()
    const author = await rig.gantry(["approve", id, "--as", "Chen Dev", "--reason", "mine"])
    expect(author.code).toBe(1)
    expect(author.stderr).toContain("author")
    expect((await rig.gantry(["approve", id, "--as", "Lin Release", "--reason", "tested"])).code).toBe(0)
    const resumed = await rig.gantry(["resume", id])
    expect(resumed.code, resumed.stderr).toBe(0)
    const record = await rig.record()
    expect((await versionAt(urls(record)["prod"])).commit).toBe(record.commit)
    const page = await readFile(join(rig.dir, ".gantry/runs", id, "report.html"), "utf8")
    expect(page).toContain("Lin Release")
    expect(page).not.toMatch(/<(script|link|img)[^>]+(src|href)="https?:/)
  })

  it("takes the second run of the same commit from the cache and leaves the environments alone", async () => {
    const before = await rig.record()
    const run = await rig.gantry(["run", "delivery"])
    expect(run.code, run.stderr).toBe(4)
    const record = await rig.record()
    expect(statuses(record)).toMatchObject({
      "catalog.unit-tests": "cached",
      "catalog.integration-tests": "cached",
      "catalog.image": "cached",
    })
    const deployments = record.steps.flatMap((s) => s.reports.filter((r) => r.kind === "deployment"))
    expect(deployments.map((d) => d.unchanged)).toEqual([true, true])
    expect(record.id).not.toBe(before.id)
    await rig.gantry(["reject", record.id, "--as", "Lin Release", "--reason", "nothing new"])
    expect((await rig.gantry(["resume", record.id])).code).toBe(1)
  })

  it("rolls a one-line change through all three without a failed request", async () => {
    const runs = JSON.parse((await rig.gantry(["runs", "--json"])).stdout) as RunRecord[]
    const delivered = runs.find((r) => r.status === "success")
    const at = urls(delivered as RunRecord)
    expect(Object.keys(at).sort()).toEqual(["prod", "test", "uat"])
    const commit = await rig.change("shop/catalog/package.json", (text) =>
      text.replace('"version": "1.0.0"', '"version": "1.0.1"'),
    )
    const loops = Object.values(at).map((url) => requestLoop(`${url}/version`))
    const run = await rig.gantry(["run", "delivery"])
    expect(run.code, run.stderr).toBe(4)
    const { id } = await rig.record()
    const approved = await rig.gantry([
      "approve",
      id,
      "--as",
      "lin.release@shop.example",
      "--reason",
      "next",
      "--resume",
    ])
    expect(approved.code, approved.stderr).toBe(0)
    for (const loop of loops) {
      const { total, failures } = await loop.stop()
      expect(failures).toEqual([])
      expect(total).toBeGreaterThan(100)
    }
    for (const url of Object.values(at)) expect((await versionAt(url)).commit).toBe(commit)
  })

  it("keeps what a red test, a vulnerable dependency and a broken Dockerfile said", async () => {
    await rig.change(
      "shop/catalog/test/unit/log.test.js",
      (text) => text + '\nit("is red on purpose", () => { throw new Error("red on purpose") })\n',
    )
    const red = await rig.gantry(["run", "delivery", "--until", "catalog.push"])
    expect(red.code).toBe(1)
    const record = await rig.record()
    const tests = record.steps.find((s) => s.id === "catalog.unit-tests")
    expect(tests).toMatchObject({ status: "failed" })
    expect(tests?.reports).toContainEqual(expect.objectContaining({ kind: "tests", failed: 1 }))
    const junit = tests?.artifacts.find((a) => a.path.endsWith(".xml"))
    expect((await stat(join(rig.dir, ".gantry/runs", record.id, junit?.path ?? ""))).size).toBeGreaterThan(0)
    expect(record.steps.find((s) => s.id === "catalog.push")).toMatchObject({ status: "skipped" })
    expect(red.stderr).toContain("red on purpose")
    await rig.git("revert", "--no-edit", "HEAD")

    await rig.change("shop/catalog/Dockerfile", (text) =>
      text.replace(/^WORKDIR \/app$/m, "WORKDIR /app\nRUN false-command-of-nobody"),
    )
    const broken = await rig.gantry(["run", "delivery", "--only", "catalog.image"])
    expect(broken.code).toBe(1)
    expect(broken.stderr).toContain("false-command-of-nobody")
    await rig.git("revert", "--no-edit", "HEAD")

    await rig.change("shop/catalog/Dockerfile", (text) =>
      text.replace(
        /^USER /m,
        `RUN mkdir -p node_modules/lodash && echo '{"name":"lodash","version":"4.17.15","license":"MIT"}' > node_modules/lodash/package.json\nUSER `,
      ),
    )
    const vulnerable = await rig.gantry(["run", "delivery", "--only", "catalog.trivy"])
    expect(vulnerable.code, vulnerable.stderr).toBe(1)
    expect(vulnerable.stderr).toContain("CVE-2021-23337")
    await rig.git("revert", "--no-edit", "HEAD")
  })
})
