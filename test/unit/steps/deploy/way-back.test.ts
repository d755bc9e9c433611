import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { hashJson, sha256 } from "../../../../core/json.js"
import { recordRelease } from "../../../../environments/history.js"
import { memoryOf, releaseSpec } from "../../../../environments/index.js"
import { checkWayBack } from "../../../../steps/deploy/way-back.js"
import { fakeRegistry } from "../../../fakes/registry.js"
import { settingsOf } from "../../ci/settings.js"

/** PROD with a release in its history, whose image the registry has or has lost. */
async function world(wayBack?: "warn") {
  const registry = await fakeRegistry()
  const home = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(home, { recursive: true, force: true }))
  const settings = settingsOf(
    { web: {} },
    {
      // Nobody listens there: what the Docker Engine has is not known, so it counts as nothing.
      engine: { home, registry: { harbor: { url: registry.url, project: "shop" } }, docker: { host: "unix:///none" } },
      environments: { prod: { approvals: {}, ...(wayBack === undefined ? {} : { wayBack }) } },
    },
  )
  const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: { digest: hashJson(1) }, layers: [] }))
  const digest = `sha256:${sha256(bytes)}`
  const lines: string[] = []
  const check = () =>
    checkWayBack(
      {
        secrets: {},
        signal: new AbortController().signal,
        log: { info: (l) => void lines.push(l), warn: (l) => void lines.push(`! ${l}`), write: () => undefined },
      },
      settings,
      settings.services[0] as never,
      "prod",
    )
  const runs = () =>
    recordRelease(memoryOf(settings, "prod", "web").notes, {
      release: releaseSpec({
        service: "web",
        reference: `${registry.host}/shop/web@${digest}`,
        digest,
        commit: "c0ffee",
        config: "{}\n",
        env: {},
        port: 8080,
        readiness: "/",
        startupSeconds: 1,
        calls: [],
        resources: {},
      }),
      replicas: 1,
      at: "2026-01-01T00:00:00Z",
    })
  const push = () =>
    registry.manifests.set(`shop/web@${digest}`, { bytes, mediaType: "application/vnd.oci.image.manifest.v1+json" })
  return { registry, lines, check, runs, push }
}

describe("the way back, before PROD is touched", () => {
  it("is no question where nothing ran", async () => {
    const { check, lines } = await world()
    await check()
    expect(lines).toEqual(["web has never run in prod: there is nothing to go back to"])
  })

  it("is open while the registry has what runs there", async () => {
    const { check, runs, push, lines } = await world()
    await runs()
    push()
    await check()
    expect(lines[0]).toMatch(/the way back is open: sha256:/)
  })

  it("is closed when its image is gone: nothing is touched, and it says what to do", async () => {
    const { check, runs } = await world()
    await runs()
    await expect(check()).rejects.toMatchObject({
      code: "ROLLOUT-NO-WAY-BACK",
      kind: "failed",
      reason: expect.stringMatching(
        /Neither the registry nor the place where it runs has .*shop\/web@sha256/,
      ) as string,
      hint: expect.stringContaining('environments.prod.wayBack: "warn"') as string,
    })
  })

  it("is warned about where the environment says so", async () => {
    const { check, runs, lines } = await world("warn")
    await runs()
    await check()
    expect(lines[0]).toMatch(/^! there is no way back/)
  })

  it("is not called closed when the registry does not say: its own trouble is told", async () => {
    const { check, runs, registry } = await world()
    await runs()
    registry.mishaps = [{ method: "GET", path: /manifests/, status: 403, body: "{}" }]
    await expect(check()).rejects.toMatchObject({ code: "REGISTRY-DENIED" })
  })
})
