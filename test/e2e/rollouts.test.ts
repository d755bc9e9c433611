import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { RunRecord } from "../../core/record.js"
import { makeRig, requestLoop, urls, versionAt, type Rig } from "./rig.js"

/** A short way to PROD, as a team writes one for its corrections: built, approved, rolled out. */
const prologue = `import { pipeline } from "gantry-ci"
import { buildImage, checkout, gate, push, rollout, trivy } from "gantry-ci/steps"

function hotfix(settings) {
  const [service] = settings.services
  const source = checkout(settings)
  const image = buildImage(settings, service, { source })
  const scan = trivy(settings, service, { source, image })
  const release = push(settings, service, { source, image, after: [scan] })
  const none = { deployments: [], tests: [], quality: [] }
  const approval = gate(settings, "prod", { source, images: [image], scans: [scan], releases: [release], ...none })
  return pipeline("hotfix", { targets: [rollout(settings, service, "prod", { source, release, approval })] })
}
`
const config = `pipelines: { hotfix },
  environments: {
    test: { replicas: 1 },
    prod: {
      replicas: 2,
      approvals: { required: 1 },
      strategy: {
        kind: "canary",
        steps: [{ percent: 20, seconds: 4 }, { percent: 50, seconds: 2 }],
        analysis: { intervalSeconds: 1, windowSeconds: 10, minRequests: 20 },
        pauseSeconds: 0,
        minReadySeconds: 0.2,
      },
    },
  },`
const lin = ["--as", "Lin Release", "--reason", "a test"] as const

/** The commands of a rollout, on the real shop: each case builds on the one before. */
describe("a canary in PROD", () => {
  let rig: Rig
  let url: string
  let good: string
  beforeAll(async () => {
    rig = await makeRig({ project: "e2ecanary", without: ["sonar", "integration tests"], prologue, config })
  })
  afterAll(() => rig.remove())

  const fault = (from: string, to: string) =>
    rig.change("shop/catalog/gantry.service.yaml", (text) => text.replace(from, to))
  /** Runs up to the gate, has it approved and goes on. */
  async function release() {
    const begun = await rig.gantry(["run", "hotfix"])
    expect(begun.code, begun.stderr).toBe(4)
    return rig.gantry(["approve", "last", ...lin, "--resume"])
  }
  const rolloutOf = (record: RunRecord) =>
    record.steps.flatMap((s) => s.reports).find((report) => report.kind === "rollout")
  const inProd = async () => (await versionAt(url)).commit

  it("the first release goes there plainly", async () => {
    const done = await release()
    expect(done.code, done.stderr).toBe(0)
    const record = await rig.record()
    url = urls(record)["prod"] ?? ""
    good = record.commit
    expect(await inProd()).toBe(good)
    expect(rolloutOf(record)).toBeUndefined()
  })

  it("a build that answers 5xx takes itself back, is shown in the report, and is refused from then on", async () => {
    await fault("  sizeBudgetMB:", "  args: { SHOP_FAULT: errors@prod }\n  sizeBudgetMB:")
    const begun = await rig.gantry(["run", "hotfix"])
    expect(begun.code, begun.stderr).toBe(4)
    // From here on, or they are through before there is a canary; enough of them for its figures.
    const users = requestLoop(`${url}/api/products`, { connections: 6 })
    const bad = await rig.gantry(["approve", "last", ...lin, "--resume"])
    const { total, failures } = await users.stop()
    expect(bad.code, bad.stderr).toBe(1)
    expect(bad.stderr).toMatch(/ROLLOUT-UNFIT: catalog in prod was taken back at 20 %[^]*serverErrors/)
    expect(failures.every((failure) => failure.endsWith(" 500"))).toBe(true)
    expect(failures.length).toBeLessThan(total * 0.3)
    expect(await inProd()).toBe(good)
    const record = await rig.record()
    expect(rolloutOf(record)).toMatchObject({ outcome: "went back", strategy: "canary" })
    expect(await readFile(join(rig.dir, ".gantry/runs", record.id, "report.html"), "utf8")).toContain(
      'svg class="rollout"',
    )
    // The approval was for this very release, and is older than its way back.
    const again = await rig.gantry(["resume", "last"])
    expect(again.code).toBe(1)
    expect(again.stderr).toContain("ROLLOUT-REFUSED")
  })

  it("pauses without traffic, and a person who is not the author goes on", async () => {
    await fault("SHOP_FAULT: errors@prod", 'SHOP_FAULT: ""')
    const paused = await release()
    expect(paused.code, paused.stderr).toBe(4)
    expect(paused.stderr).toMatch(/ROLLOUT-PAUSED[^]*no traffic[^]*gantry promote prod --service catalog/)
    expect(await inProd()).toBe(good)
    const word = ["promote", "prod", "--reason", "a quiet night", "--full", "--resume", "--as"]
    const author = await rig.gantry([...word, "Chen Dev"])
    expect(author.code).toBe(1)
    expect(author.stderr).toMatch(/PERSON-REFUSED[^]*is an author of commit/)
    const promoted = await rig.gantry([...word, "Lin Release"])
    expect(promoted.code, promoted.stderr).toBe(0)
    expect(await inProd()).toBe((await rig.record()).commit)
    expect(await inProd()).not.toBe(good)
  })

  it("is rolled back by one command, as a run of its own, without a failed request", async () => {
    const users = requestLoop(`${url}/version`)
    const back = await rig.gantry(["rollback", "prod", ...lin])
    const { failures } = await users.stop()
    expect(back.code, back.stderr).toBe(0)
    expect(failures).toEqual([])
    expect(await inProd()).toBe(good)
    expect(await rig.record()).toMatchObject({ pipeline: "rollback-prod", status: "success", commit: good })
    const audit = await readFile(join(rig.dir, ".gantry/audit.ndjson"), "utf8")
    expect(audit).toMatch(/"kind":"promote"[^]*"kind":"rollback"/)
    const unlocked = await rig.gantry(["unlock", "prod"])
    expect(unlocked.stderr).toContain("catalog in prod: nobody is changing it")
  })
})
