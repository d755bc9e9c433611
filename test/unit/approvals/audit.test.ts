import { execFile } from "node:child_process"
import { appendFile, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { promisify } from "node:util"
import { beforeEach, describe, expect, it } from "vitest"
import { appendAudit, checkAudit, readAudit } from "../../../approvals/audit.js"
import { hashJson } from "../../../core/json.js"
import { temporaryProject } from "../core/rig.js"

let root: string
let path: string
beforeEach(async () => {
  root = await temporaryProject()
  path = join(root, "audit.ndjson")
})
const lines = async () => (await readFile(path, "utf8")).trimEnd().split("\n")
const write = (all: readonly string[]) => writeFile(path, all.map((line) => line + "\n").join(""))
const three = async () => {
  for (const n of [1, 2, 3]) await appendAudit(root, { type: "test", n })
  return lines()
}

it("keeps what is appended, in order, and is whole", async () => {
  expect(await checkAudit(root)).toBeUndefined()
  expect(await readAudit(root)).toEqual([])
  await three()
  expect(await checkAudit(root)).toBeUndefined()
  expect((await readAudit(root)).map((l) => [l.seq, l.entry])).toEqual([1, 2, 3].map((n) => [n, { type: "test", n }]))
})

describe("shows a change", () => {
  const rehash = (line: string, over: object) => {
    const { hash: _, ...rest } = { ...(JSON.parse(line) as { hash: string }), ...over }
    return JSON.stringify({ ...rest, hash: hashJson(rest) })
  }
  it.each<[string, (all: string[]) => string[], number]>([
    ["of an entry", ([a = "", b = "", c = ""]) => [a, b.replace('"n":2', '"n":9'), c], 2],
    ["of an entry with a new hash", ([a = "", b = "", c = ""]) => [a, rehash(b, { entry: 9 }), c], 3],
    ["of a date", ([a = "", b = "", c = ""]) => [a.replace(/"at":"\d/, '"at":"1'), b, c], 1],
    ["a line left out", ([a = "", , c = ""]) => [a, c], 2],
    ["the first left out", ([, b = "", c = ""]) => [b, c], 1],
    ["two changed about", ([a = "", b = "", c = ""]) => [a, c, b], 2],
    ["one doubled", ([a = "", b = "", c = ""]) => [a, a, b, c], 2],
    ["a line that is no JSON", ([a = "", , c = ""]) => [a, "oops", c], 2],
    ["an empty line", ([a = "", b = "", c = ""]) => [a, "", b, c], 2],
    ["a further field", ([a = "", b = "", c = ""]) => [a, b.replace("{", '{"x":1,'), c], 2],
  ])("%s", async (_, change, wrong) => {
    await write(change(await three()))
    expect(await checkAudit(root)).toBe(wrong)
    await expect(readAudit(root)).rejects.toMatchObject({ code: "AUDIT-BROKEN", kind: "errored" })
    const before = await readFile(path, "utf8")
    await expect(appendAudit(root, 4)).rejects.toMatchObject({ code: "AUDIT-BROKEN" })
    expect(await readFile(path, "utf8")).toBe(before)
  })
})

it("a torn last line did not happen", async () => {
  const [, , last = ""] = await three()
  await appendFile(path, last.slice(0, 40))
  expect(await checkAudit(root)).toBeUndefined()
  expect(await readAudit(root)).toHaveLength(3)
  await appendAudit(root, { n: 4, text: "签署" })
  await appendFile(path, "torn 签")
  await appendAudit(root, { n: 5 })
  expect(await checkAudit(root)).toBeUndefined()
  expect((await readAudit(root)).map((l) => l.seq)).toEqual([1, 2, 3, 4, 5])
})

it("is written by several at once without losing a line", async () => {
  await Promise.all(Array.from({ length: 12 }, (_, n) => appendAudit(root, { n })))
  expect(await checkAudit(root)).toBeUndefined()
  expect((await readAudit(root)).map((l) => (l.entry as { n: number }).n).sort((a, b) => a - b)).toEqual(
    Array.from({ length: 12 }, (_, n) => n),
  )
})

it("is written by several processes at once, and takes the lock of a dead one over", async () => {
  await writeFile(
    `${path}.lock`,
    JSON.stringify({ pid: 2 ** 22 + 1, host: (await import("node:os")).hostname(), since: "" }),
  )
  const jiti = join(import.meta.dirname, "../../../node_modules/jiti/lib/jiti-cli.mjs")
  const script = join(root, "write.ts")
  await writeFile(
    script,
    `import { appendAudit } from ${JSON.stringify(join(import.meta.dirname, "../../../approvals/audit.ts"))}
for (let i = 0; i < 5; i++) await appendAudit(process.argv[2], { pid: process.pid, i })\n`,
  )
  const run = promisify(execFile)
  await Promise.all([1, 2, 3].map(() => run(process.execPath, [jiti, script, root])))
  expect(await checkAudit(root)).toBeUndefined()
  expect(await readAudit(root)).toHaveLength(15)
})

it("fails rather than begin anew when the file cannot be read", async () => {
  await three()
  await rm(path)
  const { mkdir } = await import("node:fs/promises")
  await mkdir(path)
  await expect(readAudit(root)).rejects.toMatchObject({ code: "EISDIR" })
  await expect(appendAudit(root, 1)).rejects.toBeDefined()
})
