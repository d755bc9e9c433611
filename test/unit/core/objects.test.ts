import { chmod, copyFile, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { sha256 } from "../../../core/json.js"
import { hashFile, hasObjects, objectPath, relinkArtifacts, storeObject } from "../../../core/objects.js"
import { temporaryProject } from "./rig.js"

async function root(): Promise<string> {
  const dir = await temporaryProject()
  await mkdir(join(dir, "objects"))
  await mkdir(join(dir, "run"))
  return dir
}

/** Changes a file in place, as an owner can who makes it writable first. */
async function tamper(path: string, text: string) {
  await chmod(path, 0o644)
  await writeFile(path, text)
}

describe("objects", () => {
  it("keeps each content once, read-only, by its hash", async () => {
    const dir = await root()
    await writeFile(join(dir, "source"), "content")
    const object = await storeObject(dir, { file: join(dir, "source") })
    expect(object).toEqual({ sha256: sha256("content"), size: 7 })
    expect(await storeObject(dir, { text: "content" })).toEqual(object)
    expect(await readdir(join(dir, "objects"))).toEqual([object.sha256])
    expect((await stat(objectPath(dir, object.sha256))).mode & 0o222).toBe(0)
  })

  it("keeps what the file held then, whatever the step does to it afterwards", async () => {
    const dir = await root()
    await writeFile(join(dir, "source"), "first")
    const object = await storeObject(dir, { file: join(dir, "source") })
    await writeFile(join(dir, "source"), "second")
    expect(await readFile(objectPath(dir, object.sha256), "utf8")).toBe("first")
  })

  it("replaces an object that is not what its name says", async () => {
    const dir = await root()
    const object = await storeObject(dir, { text: "content" })
    await tamper(objectPath(dir, object.sha256), "CONTENT")
    await storeObject(dir, { text: "content" })
    expect(await readFile(objectPath(dir, object.sha256), "utf8")).toBe("content")
  })

  it("leaves nothing behind when the source is missing", async () => {
    const dir = await root()
    await expect(storeObject(dir, { file: join(dir, "missing") })).rejects.toMatchObject({ code: "ENOENT" })
    expect(await readdir(join(dir, "objects"))).toEqual([])
  })
})

describe("relinkArtifacts", () => {
  it("puts artifacts of another run into this one without copying", async () => {
    const dir = await root()
    const object = await storeObject(dir, { text: "content" })
    const artifact = { path: "artifacts/a/deep/x.txt", ...object }
    expect(await hasObjects(dir, [artifact])).toBe(true)
    expect(await relinkArtifacts(dir, join(dir, "run"), [artifact])).toBe(true)
    const [there, here] = [objectPath(dir, object.sha256), join(dir, "run", artifact.path)]
    expect((await stat(there)).ino).toBe((await stat(here)).ino)
  })

  it("does not serve when an object is gone", async () => {
    const dir = await root()
    const object = await storeObject(dir, { text: "content" })
    await rm(objectPath(dir, object.sha256))
    const artifact = { path: "artifacts/a/x", ...object }
    expect(await relinkArtifacts(dir, join(dir, "run"), [artifact])).toBe(false)
    expect(await hasObjects(dir, [artifact])).toBe(false)
  })

  it("does not serve bytes that were changed, and removes them, so that the next run heals it", async () => {
    const dir = await root()
    const object = await storeObject(dir, { text: "content" })
    await tamper(objectPath(dir, object.sha256), "CONTENT")
    expect(await relinkArtifacts(dir, join(dir, "run"), [{ path: "artifacts/a/x", ...object }])).toBe(false)
    expect(await readdir(join(dir, "objects"))).toEqual([])
  })
})

describe("hashFile", () => {
  it("notices a change of the same length at once", async () => {
    const dir = await root()
    const file = join(dir, "f")
    for (const text of ["aaaa", "bbbb", "cccc", "dddd"]) {
      await writeFile(file, text)
      expect(await hashFile(file)).toEqual({ sha256: sha256(text), size: 4 })
      expect(await hashFile(file)).toEqual({ sha256: sha256(text), size: 4 })
    }
    await copyFile(file, join(dir, "g"))
    expect((await hashFile(join(dir, "g"))).sha256).toBe(sha256("dddd"))
  })
})
