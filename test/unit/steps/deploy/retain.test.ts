import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { hashJson, sha256 } from "../../../../core/json.js"
import { memoryOf, releaseSpec } from "../../../../environments/index.js"
import { recordRelease } from "../../../../environments/history.js"
import { retainReleases, retentionTags } from "../../../../steps/deploy/retain.js"
import { fakeRegistry } from "../../../fakes/registry.js"
import { settingsOf } from "../../ci/settings.js"

function release(name: string, digest: string, config = "{}\n") {
  return releaseSpec({
    service: "web",
    reference: `${name}@${digest}`,
    digest,
    commit: "c0ffee",
    config,
    env: {},
    port: 8080,
    readiness: "/",
    startupSeconds: 1,
    calls: [],
    resources: {},
  })
}

describe("which tag belongs where", () => {
  const of = (...digests: readonly string[]) => digests.map((d) => ({ release: release("r/shop/web", d) }))
  it.each([
    ["nothing deployed", of(), 3, []],
    ["the first one", of("a"), 3, ["test-current a"]],
    [
      "the oldest first, no more than are kept",
      of("e", "d", "c", "b", "a"),
      3,
      ["test-previous-3 b", "test-previous-2 c", "test-previous-1 d", "test-current e"],
    ],
    ["one image with two configurations is one", of("b", "b", "a"), 3, ["test-previous-1 a", "test-current b"]],
    ["one that came back", of("a", "b", "a"), 3, ["test-previous-1 b", "test-current a"]],
  ])("%s", (_, history, keep, expected) => {
    expect(retentionTags("test", history, "r/shop/web", keep).map((t) => `${t.tag} ${t.digest}`)).toEqual(expected)
  })
  it("what came from another registry is not looked for here", () => {
    expect(retentionTags("test", of("a"), "other/shop/web", 3)).toEqual([])
  })
})

describe("in the registry", () => {
  async function world() {
    const registry = await fakeRegistry()
    const home = await mkdtemp(join(tmpdir(), "gantry-test-"))
    onTestFinished(() => rm(home, { recursive: true, force: true }))
    const harbor = { url: registry.url, project: "shop" }
    const settings = settingsOf(
      { web: {} },
      { engine: { home, registry: { harbor } }, environments: { test: { keepReleases: 2 } } },
    )
    const lines: string[] = []
    const digests: string[] = []
    for (const n of [1, 2, 3, 4]) {
      const bytes = Buffer.from(JSON.stringify({ schemaVersion: 2, config: { digest: hashJson(n) }, layers: [] }))
      const digest = `sha256:${sha256(bytes)}`
      const mediaType = "application/vnd.oci.image.manifest.v1+json"
      registry.manifests.set(`shop/web@${digest}`, { bytes, mediaType })
      digests.push(digest)
    }
    const deployed = (n: number) =>
      recordRelease(memoryOf(settings, "test", "web").notes, {
        release: release(`${registry.host}/shop/web`, digests[n - 1] ?? ""),
        replicas: 1,
        at: "2026-01-01T00:00:00Z",
      })
    const retain = () =>
      retainReleases(
        {
          secrets: {},
          signal: new AbortController().signal,
          log: { info: (l) => void lines.push(l), warn: (l) => void lines.push(`! ${l}`), write: () => undefined },
        },
        settings,
        settings.services[0] as never,
        "test",
      )
    const tags = () =>
      Object.fromEntries(
        [...registry.manifests]
          .filter(([name]) => name.startsWith("shop/web:"))
          .map(([name, { bytes }]) => [name.slice(9), digests.indexOf(`sha256:${sha256(bytes)}`) + 1]),
      )
    return { registry, lines, digests, deployed, retain, tags }
  }

  it("the tags follow, byte for byte, and a second time nothing is sent", async () => {
    const { registry, deployed, retain, tags } = await world()
    await deployed(1)
    await retain()
    expect(tags()).toEqual({ "test-current": 1 })
    for (const n of [2, 3, 4]) await deployed(n)
    await retain()
    expect(tags()).toEqual({ "test-current": 4, "test-previous-1": 3, "test-previous-2": 2 })
    const before = registry.requests.length
    await retain()
    expect(registry.requests.slice(before).filter((r) => !r.startsWith("HEAD"))).toEqual([])
  })

  it("a refusal is a warning", async () => {
    const { registry, lines, deployed, retain, tags } = await world()
    await deployed(1)
    registry.mishaps = [{ method: "PUT", path: /test-current/, status: 403, body: "{}" }]
    await retain()
    expect(tags()).toEqual({})
    expect(lines.join("\n")).toMatch(/^! the registry does not keep .*\n! .*403.* The deployment stands/)
  })

  it("a release that is lost is told, and the others are kept", async () => {
    const { registry, lines, digests, deployed, retain, tags } = await world()
    await deployed(1)
    await deployed(2)
    registry.manifests.delete(`shop/web@${digests[0]}`)
    await retain()
    expect(tags()).toEqual({ "test-current": 2 })
    expect(lines.join("\n")).toContain("! the registry has lost")
  })
})
