import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { fault } from "../../../../core/errors.js"
import type { Report } from "../../../../core/reports.js"
import type { Trivy } from "../../../../steps/trivy/container.js"
import { scanPolicy } from "../../../../steps/trivy/policy.js"
import { scanImage, type ScanContext } from "../../../../steps/trivy/scan.js"

const digest = `sha256:${"a".repeat(64)}`
const artifact = { path: "image.tar", sha256: "b".repeat(64), size: 1 }
const image = { service: "catalog", digest, archive: artifact, size: 1, labels: {} }
const empty = { SchemaVersion: 2, ArtifactType: "container_image", Trivy: { Version: "0.74.0" } }
const now = new Date("2026-11-23T15:00:00Z")

async function world(report: unknown, more: Partial<Trivy> = {}, digests: readonly string[] = [digest]) {
  const folder = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const json = join(folder, "report.json")
  await writeFile(json, typeof report === "string" ? report : JSON.stringify(report))
  const kept: string[] = []
  const reports: Report[] = []
  const context: ScanContext = {
    artifacts: {
      put: (name) => {
        kept.push(name)
        return Promise.resolve({ ...artifact, path: name })
      },
      putFolder: () => Promise.resolve([]),
      open: () => Promise.resolve("/image.tar"),
    },
    log: { info: () => undefined, warn: () => undefined, write: () => undefined },
    publish: (one) => reports.push(one),
    scratch: folder,
  }
  const trivy: Trivy = {
    database: () => Promise.resolve({ updatedAt: new Date("2026-11-23T06:00:00Z") }),
    scan: () => Promise.resolve({ json, sarif: json, table: json, sbom: json, digests }),
    ...more,
  }
  const input = { service: "catalog", image, policy: scanPolicy.parse({}), exceptions: [], now }
  return { kept, reports, result: scanImage(context, trivy, input) }
}

describe("the scan of an image", () => {
  it("that finds nothing passes, with its reports", async () => {
    const { kept, reports, result } = await world(empty)
    expect(await result).toMatchObject({ digest, exceptions: 0, databaseUpdatedAt: "2026-11-23T06:00:00.000Z" })
    expect(await result).not.toHaveProperty("databaseNote")
    expect(kept).toEqual(["trivy.json", "trivy.sarif", "trivy.txt", "sbom.cdx.json"])
    expect(reports[0]).toMatchObject({ kind: "findings", basis: expect.stringContaining("less than a day") as string })
  })

  it.each<[string, unknown, readonly string[] | undefined, string]>([
    ["an unreadable report", "{", undefined, "TRIVY-REPORT"],
    ["an empty report", "", undefined, "TRIVY-REPORT"],
    ["the archive of another image", empty, [`sha256:${"c".repeat(64)}`], "TRIVY-DIGEST"],
    ["a malicious Trivy behind a mirror", { ...empty, Trivy: { Version: "0.69.5" } }, undefined, "TRIVY-COMPROMISED"],
  ])("is errored, never passed, by %s", async (_name, report, digests, code) => {
    const { kept, reports, result } = await world(report, {}, digests)
    await expect(result).rejects.toMatchObject({ code, kind: "errored" })
    expect(kept).toEqual([])
    expect(reports).toEqual([])
  })

  it("is errored when Trivy breaks, or its database is too old", async () => {
    const broken = fault({ code: "TRIVY-SCAN", kind: "errored", message: "broke" })
    await expect((await world(empty, { scan: () => Promise.reject(broken) })).result).rejects.toBe(broken)
    const old = { database: () => Promise.resolve({ updatedAt: new Date("2026-01-01T00:00:00Z") }) }
    await expect((await world(empty, old)).result).rejects.toMatchObject({ code: "TRIVY-DB-STALE", kind: "errored" })
  })

  it("keeps and publishes its reports before it fails", async () => {
    const secret = { RuleID: "aws-access-key-id", Severity: "CRITICAL", Title: "AWS Access Key ID", StartLine: 1 }
    const { kept, reports, result } = await world({ ...empty, Results: [{ Target: "/app/.env", Secrets: [secret] }] })
    await expect(result).rejects.toMatchObject({ code: "TRIVY-POLICY", kind: "failed" })
    expect(kept).toHaveLength(4)
    expect(reports[0]).toMatchObject({ items: [{ id: "aws-access-key-id", blocking: true }] })
  })
})
