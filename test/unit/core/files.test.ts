import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { fault, isFault } from "../../../core/errors.js"
import { fileFault, isDiskFull, writeDurably } from "../../../core/files.js"
import { temporaryProject, thrown } from "./rig.js"

const systemError = (code: string) => Object.assign(new Error(`${code}: it went wrong`), { code })

describe("fileFault", () => {
  it.each([
    ["ENOSPC", "DISK-FULL"],
    ["EDQUOT", "DISK-FULL"],
    ["EFBIG", "DISK-FULL"],
    ["EACCES", "FILE-DENIED"],
    ["EROFS", "FILE-DENIED"],
    ["EPERM", "FILE-DENIED"],
  ])("%s is %s", (system, code) => {
    const error = fileFault(systemError(system), "/some/file")
    expect(isFault(error)).toBe(true)
    expect(error).toMatchObject({ code, kind: "errored", message: expect.stringContaining("/some/file") as string })
  })

  it("leaves other errors and faults as they are", () => {
    const other = systemError("EIO")
    const known = fault({ code: "X-Y", kind: "failed", message: "m" })
    expect(fileFault(other, "f")).toBe(other)
    expect(fileFault(known, "f")).toBe(known)
    expect(isDiskFull(other)).toBe(false)
    expect(isDiskFull(undefined)).toBe(false)
  })
})

describe("writeDurably", () => {
  it("replaces a file and leaves nothing else", async () => {
    const dir = await temporaryProject()
    await writeFile(join(dir, "f"), "old")
    await writeDurably(join(dir, "f"), "new")
    expect(await readFile(join(dir, "f"), "utf8")).toBe("new")
    expect(await readdir(dir)).toEqual(["f"])
  })

  it("says so when it cannot", async () => {
    const dir = await temporaryProject()
    expect(await thrown(() => writeDurably(join(dir, "no", "such", "folder"), "x"))).toMatchObject({ code: "ENOENT" })
    expect(await readdir(dir)).toEqual([])
  })
})
