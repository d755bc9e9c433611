import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { createReaderFiles } from "../../../core/reader-files.js"
import { temporaryProject, thrown, until } from "./rig.js"

describe("files for readers", () => {
  it("are replaced whole, the last text winning, and appended in order", async () => {
    const dir = await temporaryProject()
    const files = createReaderFiles()
    for (let i = 0; i < 100; i++) {
      files.replace(join(dir, "a", "result.json"), () => `${i}`)
      files.append(join(dir, "b", "log.txt"), `${i}\n`)
    }
    await files.close()
    expect(await readFile(join(dir, "a", "result.json"), "utf8")).toBe("99")
    expect(await readFile(join(dir, "b", "log.txt"), "utf8")).toBe(
      Array.from({ length: 100 }, (_, i) => `${i}\n`).join(""),
    )
    expect(await readdir(join(dir, "a"))).toEqual(["result.json"])
  })

  it("wait where they cannot be written, and lose nothing, in order", async () => {
    const dir = await temporaryProject()
    const files = createReaderFiles()
    const [log, other] = [join(dir, "steps", "a", "log.txt"), join(dir, "other")]
    await writeFile(join(dir, "steps"), "in the way")
    files.append(log, "one\n")
    files.replace(join(dir, "steps", "a", "result.json"), () => "{}")
    files.replace(other, () => "written")
    await until("the others are written", () => readFile(other, "utf8").catch(() => undefined))
    files.append(log, "two\n")
    await rm(join(dir, "steps"))
    files.append(log, "three\n")
    await files.close()
    expect(await readFile(log, "utf8")).toBe("one\ntwo\nthree\n")
    expect(await readFile(join(dir, "steps", "a", "result.json"), "utf8")).toBe("{}")
  })

  it("say at the end what could not be written", async () => {
    const dir = await temporaryProject()
    const files = createReaderFiles()
    await mkdir(join(dir, "result.json"))
    files.replace(join(dir, "result.json"), () => "{}")
    expect(await thrown(() => files.close())).toMatchObject({ code: "EISDIR" })
    expect(await readdir(dir)).toEqual(["result.json"])
  })

  it("say that the disk is full, and keep no half of a text", async () => {
    const dir = await temporaryProject()
    const files = createReaderFiles()
    const { symlink } = await import("node:fs/promises")
    await symlink("/dev/full", join(dir, "log.txt"))
    files.append(join(dir, "log.txt"), "x")
    expect(await thrown(() => files.close())).toMatchObject({ code: "DISK-FULL" })
  })

  it("do other work, whose errors do not count", async () => {
    const files = createReaderFiles()
    const done: number[] = []
    for (let i = 0; i < 3; i++) {
      files.later(() => {
        done.push(i)
        if (i === 1) throw new Error("x")
      })
    }
    await files.close()
    expect(done).toEqual([0, 1, 2])
  })
})
