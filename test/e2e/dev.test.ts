import { appendFile, readFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { dockerClient } from "../../engine/docker/client.js"
import { engineConfig } from "../../engine/config.js"
import type { EnvironmentDetail } from "../../environments/index.js"
import { makeRig, statuses, versionAt, type Rig } from "./rig.js"

/** The work tree in DEV, and looking at it; the cases build on each other. */
describe("gantry dev", () => {
  let rig: Rig
  beforeAll(async () => {
    rig = await makeRig({
      project: "e2edev",
      services: ["catalog", "order"],
      without: ["sonar", "integration tests"],
    })
  })
  afterAll(async () => {
    await rig.gantry(["stop", "dev", "--data"])
    await rig.remove()
  })
  const migrationLog = async () => {
    const { id } = await rig.record()
    return readFile(join(rig.dir, ".gantry/runs", id, "steps/catalog.migrate-dev/log.txt"), "utf8")
  }
  const show = async () => {
    const { code, stdout } = await rig.gantry(["env", "show", "dev", "catalog", "--json"])
    return { code, detail: JSON.parse(stdout) as EnvironmentDetail }
  }

  it("puts the work tree there: built, migrated, deployed; prints where", async () => {
    await appendFile(join(rig.dir, "shop/config-repo/service-common/application-dev.yml"), "  name: mine\n")
    const run = await rig.gantry(["dev", "catalog"])
    expect(run.code, run.stderr).toBe(0)
    const url = run.stdout.trim()
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
    const record = await rig.record()
    expect(record).toMatchObject({ pipeline: "dev", dirty: true })
    expect(await versionAt(url)).toMatchObject({ environment: "dev", commit: record.commit })
    expect(await migrationLog()).toContain("Applied: 1, 2, 3")
  })

  it("does next to nothing when nothing changed", async () => {
    const run = await rig.gantry(["dev", "catalog"])
    expect(run.code, run.stderr).toBe(0)
    const record = await rig.record()
    expect(statuses(record)).toMatchObject({ "catalog.image": "cached", "catalog.migrate-dev": "success" })
    expect(record.steps.find((s) => s.id === "catalog.migrate-dev")?.output).toMatchObject({ applied: false })
    expect(record.steps.find((s) => s.id === "catalog.deploy-dev")?.output).toMatchObject({ unchanged: true })
    expect(await migrationLog()).toContain("nothing to do")
  })

  it("puts a service there with those that it calls, whatever they are made with", async () => {
    const run = await rig.gantry(["dev", "order"])
    expect(run.code, run.stderr).toBe(0)
    const { steps } = await rig.record()
    const catalog = steps
      .flatMap((s) => (s.service === "catalog" ? s.reports : []))
      .find((r) => r.kind === "deployment")
    const post = (url: string, body: object) =>
      fetch(url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) })
    const product = { sku: "DEV-1", name: "开发", priceCents: 1250, stock: 5 }
    expect((await post(`${catalog?.url}/api/products`, product)).status).toBe(201)
    const bought = await post(`${run.stdout.trim()}/api/orders`, { customer: "dev", sku: product.sku, quantity: 2 })
    expect(await bought.text()).toContain("DEV-1")
    expect(bought.status).toBe(201)
    const left = await fetch(`${catalog?.url}/api/products/${product.sku}`)
    expect(await left.json()).toMatchObject({ stock: 3 })
  })

  it("is shown, and so is what somebody changes by hand", async () => {
    const list = await rig.gantry(["env", "list", "--json"])
    expect(JSON.parse(list.stdout)).toContainEqual(
      expect.objectContaining({ environment: "dev", service: "catalog", state: "running" }),
    )
    const whole = await show()
    expect(whole).toMatchObject({ code: 0, detail: { drift: [], services: [{ migration: { status: "done" } }] } })
    const name = whole.detail.services[0]?.instances[0]?.name ?? ""
    await dockerClient(engineConfig.parse({})).getContainer(name).stop({ t: 1 })
    const after = await show()
    expect(after.code).toBe(5)
    expect(after.detail.services[0]?.drift[0]).toMatchObject({ what: name, field: "state" })
    const text = await rig.gantry(["env", "show", "dev"])
    expect(text.code).toBe(5)
    expect(text.stdout).toMatch(/drift +.*state is exited/)
    const diff = await rig.gantry(["env", "diff", "dev", "test"])
    expect(diff.stdout).toMatch(/catalog +config shop.name +mine +-/)
  })

  it("goes away when it is stopped", async () => {
    expect((await rig.gantry(["stop", "dev", "--data"])).code).toBe(0)
    const list = await rig.gantry(["env", "list"])
    expect(list.stdout).not.toContain("dev")
  })
})
