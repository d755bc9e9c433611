import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterEach, beforeEach, expect, it } from "vitest"
import { renderDrift } from "../../../ci/diff.js"
import { withHeader } from "../../../ci/generated.js"
import { driftOf, writeGenerated } from "../../../ci/write.js"

let dir: string
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), "gantry-write-"))))
afterEach(() => rm(dir, { recursive: true, force: true }))
const file = (body: string, path = "ci.yml") => ({ path, text: withHeader("gantry generate gitlab", body) })
const kinds = async (body: string) => (await driftOf(dir, [file(body)], ["more"])).map((d) => `${d.path} ${d.kind}`)

it("writes what is missing, and then nothing differs", async () => {
  expect(await kinds("a: 1\n")).toEqual(["ci.yml missing"])
  await writeGenerated(dir, await driftOf(dir, [file("a: 1\n")], []), { force: false })
  expect(await kinds("a: 1\n")).toEqual([])
})
it.each([
  ["stale", file("a: 1\n").text],
  ["edited", file("a: 1\n").text.replace("a: 1", "a: 3")],
  ["foreign", "a: 1\n"],
])("tells what is %s", async (kind, text) => {
  await writeFile(join(dir, "ci.yml"), text)
  expect(await kinds("a: 2\n")).toEqual([`ci.yml ${kind}`])
})
it("line ends of another system are no difference", async () => {
  await writeFile(join(dir, "ci.yml"), file("a: 1\n").text.replace(/\n/g, "\r\n"))
  expect(await kinds("a: 1\n")).toEqual([])
})
it.each(["# mine\na: 1\n", file("a: 1\n").text + "b: 2\n"])("destroys nobody's work unless forced", async (text) => {
  await writeFile(join(dir, "ci.yml"), text)
  const drifts = await driftOf(dir, [file("a: 2\n")], [])
  await expect(writeGenerated(dir, drifts, { force: false })).rejects.toMatchObject({
    code: "GENERATE-EDITED",
    kind: "usage",
  })
  expect(await readFile(join(dir, "ci.yml"), "utf8")).toBe(text)
  await writeGenerated(dir, drifts, { force: true })
  expect(await kinds("a: 2\n")).toEqual([])
})
it("removes what it no longer makes, and only that", async () => {
  await mkdir(join(dir, "more"))
  await writeFile(join(dir, "more/old.yml"), file("a: 1\n").text)
  await writeFile(join(dir, "more/mine.yml"), "a: 1\n")
  const drifts = await driftOf(dir, [file("a: 1\n")], ["more"])
  expect(drifts.map((d) => `${d.path} ${d.kind}`)).toEqual(["ci.yml missing", "more/old.yml extra"])
  await writeGenerated(dir, drifts, { force: false })
  expect(await readdir(join(dir, "more"))).toEqual(["mine.yml"])
})
it("shows a difference as one reads it elsewhere", async () => {
  await writeFile(join(dir, "ci.yml"), file("a: 1\nb: 1\n").text)
  const [drift] = await driftOf(dir, [file("a: 2\nb: 1\n")], [])
  const text = drift === undefined ? "" : renderDrift(drift)
  expect(text).toContain(
    "ci.yml is not what the pipeline and gantry.config.ts make now\n--- a/ci.yml\n+++ b/ci.yml\n@@",
  )
  expect(text).toContain("-a: 1\n+a: 2\n b: 1\n")
})
