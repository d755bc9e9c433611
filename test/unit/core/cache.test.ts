import { mkdir, readdir, truncate, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { readCache, writeCache, type CachedResult } from "../../../core/cache.js"
import { temporaryProject } from "./rig.js"

const result: CachedResult = {
  run: "r1",
  output: { n: 1 },
  artifacts: [{ path: "artifacts/a/x", sha256: "0".repeat(64), size: 1 }],
  reports: [{ kind: "link", title: "t", url: "u" }],
}

describe("cache", () => {
  it("gives back what was written, by step and fingerprint", async () => {
    const root = await temporaryProject()
    writeCache(root, "a", "f1", result)
    writeCache(root, "b", "f1", { ...result, output: undefined })
    expect(readCache(root, "a", "f1")).toEqual(result)
    expect(readCache(root, "b", "f1")?.output).toBeUndefined()
    expect(readCache(root, "a", "f2")).toBeUndefined()
    expect(readCache(root, "c", "f1")).toBeUndefined()
    expect(await readdir(join(root, "cache", "a"))).toEqual(["f1.json"])
  })

  it.each([
    ["empty", (path: string) => truncate(path, 0)],
    ["torn", (path: string) => truncate(path, 20)],
    ["of another form", (path: string) => writeFile(path, '{"run":1}')],
  ])("does not serve an entry that is %s", async (_, spoil) => {
    const root = await temporaryProject()
    writeCache(root, "a", "f1", result)
    await spoil(join(root, "cache", "a", "f1.json"))
    expect(readCache(root, "a", "f1")).toBeUndefined()
  })

  it("leaves nothing half-done behind when it cannot write", async () => {
    const root = await temporaryProject()
    await mkdir(join(root, "cache", "a", "f1.json"), { recursive: true })
    expect(() => writeCache(root, "a", "f1", result)).toThrow()
    expect(await readdir(join(root, "cache", "a"))).toEqual(["f1.json"])
  })
})
