import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { describe, expect, it, onTestFinished } from "vitest"
import { copyArchive } from "../../../clients/registry/copy.js"
import { readArchive, repositoryClient, type RegistryOptions } from "../../../clients/registry/index.js"
import { closedPort } from "../../fakes/port.js"
import { fakeRegistry, type FakeRegistry } from "../../fakes/registry.js"
import { writeImage, type ImageOptions } from "../../fakes/image.js"

const credentials = { username: "robot$shop+gantry", password: "s3cret-robot" }
const policy = { attempts: 4, backoff: 5, maxPause: 2000 }

async function archive(options: ImageOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  const file = join(dir, "image.tar")
  await writeImage(file, options)
  return file
}

const client = (registry: FakeRegistry, options: Partial<RegistryOptions> = {}) =>
  repositoryClient({ url: registry.url, policy, ...options }, "shop/catalog")

describe("readArchive", () => {
  it("finds manifest, configuration and blobs, and streams a blob from its place", async () => {
    const image = await readArchive(
      await archive({ layers: [70_000, 10], config: { User: "10001", Labels: { a: "b" } } }),
    )
    expect(image.blobs).toHaveLength(3)
    expect(image.size).toBe(image.blobs.slice(1).reduce((sum, blob) => sum + blob.size, 0))
    expect(image.config.config).toMatchObject({ User: "10001", Labels: { a: "b" } })
    for (const blob of image.blobs) {
      const bytes = new Uint8Array(await new Response(image.stream(blob.digest)).arrayBuffer())
      expect(bytes.length).toBe(blob.size)
    }
  })

  it.each<[string, ImageOptions, RegExp]>([
    [
      "bytes that are not what their name says",
      { tamper: (_n, b) => (b.length > 3000 ? Buffer.alloc(b.length) : b) },
      /have the hash/,
    ],
    ["a blob that is missing", { tamper: (_n, b) => (b.length > 3000 ? undefined : b) }, /has no bytes/],
    ["no index", { tamper: (n, b) => (n === "index.json" ? undefined : b) }, /no index.json/],
    ["a broken index", { tamper: (n, b) => (n === "index.json" ? Buffer.from("{}") : b) }, /schemaVersion/],
  ])("refuses %s", async (_what, options, reason) => {
    await expect(readArchive(await archive(options))).rejects.toMatchObject({
      code: "ARCHIVE-BROKEN",
      reason: expect.stringMatching(reason) as string,
    })
  })
})

describe("copyArchive", () => {
  it("sends the exact bytes once, and nothing but the manifest the second time", async () => {
    const registry = await fakeRegistry()
    const image = await readArchive(await archive({ layers: [600_000, 2000] }))
    await copyArchive(image, client(registry), "sha-1")
    expect(registry.manifests.get("shop/catalog:sha-1")?.bytes).toEqual(Buffer.from(image.manifestBytes))
    expect(registry.manifests.get("shop/catalog:sha-1")?.mediaType).toBe(image.manifest.mediaType)
    expect([...registry.blobs.keys()].sort()).toEqual(image.blobs.map((b) => b.digest).sort())
    registry.requests.length = 0
    const known: boolean[] = []
    await copyArchive(image, client(registry), "sha-1", { onBlob: (_b, s) => known.push(s.known) })
    expect(known).toEqual([true, true, true])
    expect(registry.requests.filter((r) => r.startsWith("POST"))).toEqual([])
  })

  it.each(["basic", "bearer"] as const)("answers a challenge for %s credentials", async (auth) => {
    const registry = await fakeRegistry({ auth })
    const image = await readArchive(await archive())
    await copyArchive(image, client(registry, { credentials }), "sha-1")
    expect(await client(registry, { credentials }).resolve("sha-1")).toBe(image.digest)
    expect(await client(registry, { credentials }).resolve("sha-2")).toBeUndefined()
  })

  it("asks for a new token when the old one ran out in the middle", async () => {
    const registry = await fakeRegistry({ auth: "bearer" })
    const image = await readArchive(await archive({ layers: [1000, 1000, 1000, 1000, 1000] }))
    await copyArchive(image, client(registry, { credentials }), "sha-1", { onBlob: () => registry.expireTokens() })
    expect(registry.requests.filter((r) => r.includes("token")).length).toBeGreaterThan(2)
  })

  it.each(["basic", "bearer"] as const)("says who is refused with wrong %s credentials", async (auth) => {
    const registry = await fakeRegistry({ auth })
    const image = await readArchive(await archive())
    const wrong = { username: "robot$shop+old", password: "wrong-secret" }
    const error = await copyArchive(image, client(registry, { credentials: wrong }), "sha-1").catch((e: unknown) => e)
    expect(error).toMatchObject({ code: "REGISTRY-DENIED", kind: "usage" })
    expect((error as { hint: string }).hint).toContain("robot$shop+old")
    expect(JSON.stringify(error) + String(error)).not.toContain("wrong-secret")
    await expect(client(registry).resolve("sha-1")).rejects.toMatchObject({ code: "REGISTRY-DENIED" })
  })

  it("survives 500, 429 with Retry-After, and connections that break in the middle of a layer", async () => {
    const registry = await fakeRegistry({ auth: "bearer" })
    const image = await readArchive(await archive({ layers: [900_000] }))
    registry.mishaps = [
      { method: "HEAD", path: /blobs/, status: 503 },
      { method: "POST", path: /uploads/, status: 500, body: "boom" },
      { method: "PUT", path: /uploads/, cutAfter: 100_000, times: 2 },
      { method: "PUT", path: /manifests/, status: 429, headers: { "retry-after": "1" } },
      { method: "GET", path: /manifests/, cutAfter: 0 },
    ]
    const pauses: number[] = []
    const options = {
      credentials,
      policy: { ...policy, onRetry: ({ pause }: { pause: number }) => pauses.push(pause) },
    }
    await copyArchive(image, client(registry, options), "sha-1")
    expect(registry.blobs.size).toBe(2)
    expect(registry.mishaps.every((mishap) => mishap.times === 0)).toBe(true)
    expect(pauses.length).toBe(6)
    expect(Math.max(...pauses)).toBe(1000)
    // A PUT that broke was followed by a new POST: an upload is never continued blindly.
    expect(registry.requests.filter((r) => /^POST .*uploads/.test(r)).length).toBeGreaterThanOrEqual(4)
  })

  it("gives up after so many attempts, as an error of the infrastructure", async () => {
    const registry = await fakeRegistry()
    const image = await readArchive(await archive())
    registry.mishaps = [{ method: "PUT", path: /uploads/, status: 500, body: "disk full", times: 100 }]
    await expect(copyArchive(image, client(registry), "sha-1")).rejects.toMatchObject({
      code: "REGISTRY-UNAVAILABLE",
      kind: "errored",
      reason: expect.stringContaining("500 Internal Server Error: disk full") as string,
    })
    expect(registry.manifests.size).toBe(0)
    const dead = repositoryClient(
      { url: `http://127.0.0.1:${await closedPort()}`, policy: { attempts: 2, backoff: 1 } },
      "shop/catalog",
    )
    await expect(dead.resolve("x")).rejects.toMatchObject({
      code: "REGISTRY-UNAVAILABLE",
      reason: expect.stringContaining("ECONNREFUSED") as string,
    })
  })

  it("stops at once when the run is cancelled", async () => {
    const registry = await fakeRegistry()
    const image = await readArchive(await archive())
    registry.mishaps = [{ method: "HEAD", path: /blobs/, status: 429, headers: { "retry-after": "60" }, times: 100 }]
    const controller = new AbortController()
    const options = {
      signal: controller.signal,
      policy: { maxPause: 60_000, onRetry: () => queueMicrotask(() => controller.abort(new Error("interrupted"))) },
    }
    const started = Date.now()
    await expect(copyArchive(image, client(registry, options), "sha-1")).rejects.toThrow("interrupted")
    expect(Date.now() - started).toBeLessThan(30_000)
  })

  it("notices a registry that keeps other bytes", async () => {
    const registry = await fakeRegistry({ corrupts: true })
    const image = await readArchive(await archive())
    await expect(copyArchive(image, client(registry), "sha-1")).rejects.toMatchObject({
      code: "REGISTRY-DIGEST",
      kind: "errored",
    })
    await expect(client(registry).manifest(image.digest)).rejects.toMatchObject({ code: "REGISTRY-DIGEST" })
  })

  it("says that a policy forbids it (Harbor's 412)", async () => {
    const registry = await fakeRegistry()
    const image = await readArchive(await archive())
    const body = JSON.stringify({ errors: [{ code: "PRECONDITION", message: "configured as immutable" }] })
    registry.mishaps = [{ method: "PUT", path: /manifests/, status: 412, body }]
    await expect(copyArchive(image, client(registry), "sha-1")).rejects.toMatchObject({
      code: "REGISTRY-IMMUTABLE",
      kind: "failed",
    })
  })

  it("is content with the digest where a policy forbids to pull what was just pushed", async () => {
    const registry = await fakeRegistry()
    const image = await readArchive(await archive())
    const body = JSON.stringify({
      errors: [{ code: "PROJECTPOLICYVIOLATION", message: "current image is not scanned" }],
    })
    registry.mishaps = [{ method: "GET", path: /manifests/, status: 412, body, times: 2 }]
    await copyArchive(image, client(registry), "sha-1")
    await expect(client(registry).manifest("sha-1")).rejects.toMatchObject({ code: "REGISTRY-POLICY", kind: "failed" })
  })

  it("refuses plain http beyond loopback", () => {
    expect(() => repositoryClient({ url: "http://harbor.example" }, "shop/catalog")).toThrow(
      expect.objectContaining({ code: "REGISTRY-INSECURE", kind: "usage" }) as Error,
    )
  })
})
