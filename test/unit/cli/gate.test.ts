import { readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { keyPair } from "../approvals/samples.js"
import { built } from "./built.js"
import { makeProject } from "./rig.js"

beforeAll(built, 180_000)

const digest = `sha256:${"1".repeat(64)}`
/** The real gate behind steps that only answer what builds, scans and deployments would, and a rollout that verifies. */
const files = (approvers: object[]) => ({
  "gantry.config.ts": `import { appendFileSync } from "node:fs"
import { pipeline, step } from "gantry-ci"
import { defineConfig } from "gantry-ci/config"
import { BuiltImage, checkout, gate, Release, Scan, verifyApproval } from "gantry-ci/steps"

const artifact = { path: "x", sha256: "${"0".repeat(64)}", size: 1 }
export default defineConfig({
  project: "shop",
  environments: { prod: { approvals: {} } },
  approvers: ${JSON.stringify(approvers)},
  pipelines: {
    release: (settings) => {
      const source = checkout(settings)
      const host = { engine: false, cache: false } as const
      const image = step("svc.image", { ...host, output: BuiltImage,
        run: async () => ({ service: "svc", digest: "${digest}", archive: artifact, size: 1, labels: {} }) })
      const scan = step("svc.trivy", { ...host, output: Scan,
        run: async () => ({ digest: "${digest}", counts: {}, exceptions: 0, reports: { json: artifact, sarif: artifact, table: artifact, sbom: artifact } }) })
      const release = step("svc.push", { ...host, output: Release, needs: { source },
        run: async ({ needs }) => ({ service: "svc", reference: "r/shop/svc@${digest}", tag: "r/shop/svc:1", digest: "${digest}", commit: needs.source.commit }) })
      const approval = gate(settings, "prod", { source, images: [image], scans: [scan], releases: [release], deployments: [], tests: [], quality: [] })
      const rollout = step("svc.rollout", { engine: false, needs: { source, release, approval },
        effect: { key: () => "rollout", retry: { attempts: 1 }, reconcile: "repeat" },
        run: async ({ needs, run }) => {
          if (needs.approval === undefined) return
          await verifyApproval(settings, "prod", run, needs.approval, needs.source, needs.release)
          appendFileSync("rolled-out", "x")
        } })
      return pipeline("release", { targets: [rollout] })
    },
  },
})
`,
})
const lin = { name: "Lin Release", email: "lin@shop.example", role: "release-manager" }
const zhao = { name: "Zhao Author", email: "zhao@shop.example", role: "developer" }

describe("gantry approve and reject", () => {
  it("the whole way: waits, refuses the author, takes another, goes on", async () => {
    const { gantry, dir } = await makeProject(files([lin, zhao]))
    const first = await gantry("run", "release")
    expect(first.code).toBe(4)
    const id = first.stdout.trim()
    expect(first.stderr).toContain(`gantry approve ${id} --as "Lin Release" --reason`)

    const refused = await gantry("approve", id, "--as", "zhao author", "--reason", "mine")
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/APPROVAL-REFUSED: Zhao Author may not approve[^]*is an author of the commit/)
    expect((await gantry("approve", id, "--as", "Lni", "--reason", "x")).code).toBe(1)
    expect((await gantry("approve", id, "--as", "Lin Release", "--reason", " ")).code).toBe(2)
    expect((await gantry("resume", id)).code).toBe(4)

    const approved = await gantry("approve", "last", "--as", "lin@shop.example", "--reason", "tested", "--json")
    expect(approved.code).toBe(0)
    expect(JSON.parse(approved.stdout)).toMatchObject({ decision: "approved", by: "Lin Release", run: id })
    const twice = await gantry("approve", id, "--as", "Lin Release", "--reason", "again")
    expect(twice.code).toBe(2)
    expect(twice.stderr).toMatch(/APPROVAL-SETTLED[^]*gantry resume/)

    expect((await gantry("resume", id)).code).toBe(0)
    expect(await readFile(join(dir, "rolled-out"), "utf8")).toBe("x")
    const late = await gantry("reject", id, "--as", "Lin Release", "--reason", "no")
    expect(late.code).toBe(2)
    expect(late.stderr).toContain("APPROVAL-LATE")
    expect((await gantry("approve", "nope", "--as", "Lin Release", "--reason", "x")).code).toBe(2)
  })

  it("rejected is failed, for good", async () => {
    const { gantry } = await makeProject(files([lin]))
    await gantry("run", "release")
    const rejected = await gantry("reject", "last", "--as", "Lin Release", "--reason", "broken cart", "--resume")
    expect(rejected.code).toBe(1)
    expect(rejected.stderr).toMatch(/GATE-REJECTED[^]*broken cart/)
    const late = await gantry("approve", "last", "--as", "Lin Release", "--reason", "x")
    expect(late.code).toBe(2)
    expect(late.stderr).toContain("APPROVAL-SETTLED: Lin Release has rejected this release")
  })

  it("signs with a key where one is configured", async () => {
    const key = keyPair()
    const { gantry, dir } = await makeProject(files([{ ...lin, publicKey: key.publicKey }]))
    await gantry("run", "release")
    const approve = (...more: string[]) => gantry("approve", "last", "--as", "Lin Release", "--reason", "x", ...more)
    expect((await approve()).stderr).toContain("APPROVAL-UNSIGNED")
    await writeFile(join(dir, "key.pem"), key.privateKey)
    await writeFile(join(dir, "other.pem"), keyPair().privateKey)
    expect((await approve("--key", join(dir, "none.pem"))).stderr).toMatch(
      /APPROVAL-KEY: The key .*none\.pem cannot be read/,
    )
    expect((await approve("--key", join(dir, "other.pem"))).stderr).toContain(
      "APPROVAL-KEY: This is not the key of Lin Release",
    )
    const { code, stderr } = await approve("--key", join(dir, "key.pem"), "--resume")
    expect({ code, out: await readFile(join(dir, "rolled-out"), "utf8") }).toEqual({ code: 0, out: "x" })
    expect(stderr).not.toContain("PRIVATE KEY")
  })
})
