import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { cacheKey, workdir } from "../../../../steps/tests/toolchain.js"

it("names a cache volume by the contents of its key files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const cache = { path: "/root/.npm", key: ["package-lock.json", "missing.json"] }
  const key = (image = "node@sha256:1", change: Partial<typeof cache> = {}) =>
    cacheKey(folder, image, { ...cache, ...change })
  await writeFile(join(folder, "package-lock.json"), "{}")
  const first = await key()
  expect(first).toMatch(/^gantry-root-npm-[0-9a-f]{16}$/)
  expect(await key()).toBe(first)
  // A new build of the toolchain image fills the same cache; another toolchain or folder has its own.
  expect(await key("node@sha256:2")).toBe(first)
  expect(await key("maven@sha256:1")).not.toBe(first)
  expect(await key("node@sha256:1", { path: "/root/.cache" })).not.toBe(first)
  await writeFile(join(folder, "package-lock.json"), '{"changed":true}')
  expect(await key()).not.toBe(first)
})

it("works in the service's folder", () => {
  expect(workdir({ path: "." })).toBe("/src")
  expect(workdir({ path: "examples/shop/catalog" })).toBe("/src/examples/shop/catalog")
})
