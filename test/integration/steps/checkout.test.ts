import { readFile, stat } from "node:fs/promises"
import { join } from "node:path"
import { execa } from "execa"
import { describe, expect, it } from "vitest"
import { runCheckout } from "../../../steps/checkout/index.js"
import type { RunInfo } from "../../../core/step.js"
import { sourceDir } from "../../../steps/source.js"
import { temporaryFolder, temporaryRepository } from "./repository.js"

const services = [
  { name: "catalog", path: "catalog", inputs: ["shared/**"] },
  { name: "order", path: "order", inputs: [] },
]
const files = {
  "catalog/a.js": "1\n",
  "order/b.java": "1\n",
  "shared/lib.js": "1\n",
  ".gitignore": ".gantry\nsecret.env\n",
}

function check(run: RunInfo, env: Record<string, string> = {}) {
  const lines: string[] = []
  const log = { info: (l: string) => lines.push(l), warn: (l: string) => lines.push(l), write: () => undefined }
  const signal = new AbortController().signal
  return Object.assign(runCheckout({ run, log, signal }, services, env), { lines })
}

describe("checkout", () => {
  it("knows commit, author, branch, origin and, for a root commit, every file", async () => {
    const repo = await temporaryRepository()
    await repo.git("remote", "add", "origin", "https://user:hunter2@git.example.com/shop.git")
    const commit = await repo.commit("Erster Commit: 商品目录", files)
    const source = await check(repo.run(commit))
    expect(source).toMatchObject({
      commit,
      tree: await repo.git("rev-parse", "HEAD^{tree}"),
      dirty: false,
      author: { name: "Li Wei", email: "li.wei@example.com" },
      date: "2026-03-01T10:00:00+08:00",
      subject: "Erster Commit: 商品目录",
      branch: "main",
      origin: "https://git.example.com/shop.git",
      changed: [".gitignore", "catalog/a.js", "order/b.java", "shared/lib.js"],
    })
    expect(JSON.stringify(source)).not.toContain("hunter2")
  })

  it("changes the hash of the services that a commit touches, and of no other", async () => {
    const repo = await temporaryRepository()
    const first = await check(repo.run(await repo.commit("First", files)))
    const catalogChanged = await check(repo.run(await repo.commit("Second", { "catalog/a.js": "2\n" })))
    const sharedChanged = await check(repo.run(await repo.commit("Third", { "shared/lib.js": "2\n" })))
    expect(catalogChanged.changed).toEqual(["catalog/a.js"])
    expect(catalogChanged.services["catalog"]).not.toBe(first.services["catalog"])
    expect(catalogChanged.services["order"]).toBe(first.services["order"])
    expect(sharedChanged.services["catalog"]).not.toBe(catalogChanged.services["catalog"])
    expect(sharedChanged.services["order"]).toBe(first.services["order"])
  })

  it("counts what changed from the first parent of a merge, and from the base of a merge request", async () => {
    const repo = await temporaryRepository()
    const root = await repo.commit("First", files)
    await repo.git("switch", "--quiet", "--create", "feature")
    await repo.commit("On the branch", { "order/b.java": "2\n" })
    const tip = await repo.commit("And again", { "order/c.java": "1\n" })
    await repo.git("switch", "--quiet", "main")
    await repo.commit("Meanwhile", { "catalog/a.js": "2\n" })
    await repo.git("merge", "--quiet", "--no-ff", "--message", "Merge", "feature")
    const merge = await repo.git("rev-parse", "HEAD")
    expect((await check(repo.run(merge))).changed).toEqual(["order/b.java", "order/c.java"])
    expect((await check(repo.run(tip))).changed).toEqual(["order/c.java"])
    const request = { CI_MERGE_REQUEST_DIFF_BASE_SHA: root, CI_MERGE_REQUEST_SOURCE_BRANCH_NAME: "feature" }
    const inRequest = await check(repo.run(tip), request)
    expect(inRequest).toMatchObject({ changed: ["order/b.java", "order/c.java"], branch: "feature" })
  })

  it("delivers an earlier commit, not the dirty work tree", async () => {
    const repo = await temporaryRepository()
    const first = await repo.commit("First", files)
    await repo.commit("Second", { "catalog/a.js": "2\n" })
    await repo.write({ "catalog/a.js": "dirty\n" })
    const run = repo.run(first)
    const dir = await sourceDir(run, await check(run))
    expect(await readFile(join(dir, "catalog/a.js"), "utf8")).toBe("1\n")
  })

  it("with --dirty delivers the work tree without ignored files and leaves the index alone", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", files)
    await repo.write({ "catalog/a.js": "staged\n" })
    await repo.git("add", "catalog/a.js")
    await repo.write({ "catalog/a.js": "dirty\n", "catalog/new.js": "new\n", "secret.env": "no\n" })
    const before = await repo.git("status", "--porcelain")
    const index = await repo.git("ls-files", "--stage")
    const run = repo.run(commit, { dirty: true })
    const source = await check(run)
    const dir = await sourceDir(run, source)
    expect(await readFile(join(dir, "catalog/a.js"), "utf8")).toBe("dirty\n")
    expect(await readFile(join(dir, "catalog/new.js"), "utf8")).toBe("new\n")
    await expect(stat(join(dir, "secret.env"))).rejects.toThrow("ENOENT")
    await expect(stat(join(dir, ".gantry"))).rejects.toThrow("ENOENT")
    expect(source).toMatchObject({ commit, dirty: true })
    expect(source.tree).not.toBe(await repo.git("rev-parse", "HEAD^{tree}"))
    expect(source.changed).toContain("catalog/new.js")
    expect(await repo.git("ls-files", "--stage")).toBe(index)
    expect(await repo.git("status", "--porcelain")).toBe(before)
    // Nothing changed: the same tree, so that the same work is answered from the cache.
    expect((await check(run)).tree).toBe(source.tree)
  })

  it("with --dirty never delivers the runs of Gantry itself", async () => {
    const repo = await temporaryRepository()
    const run = repo.run(await repo.commit("First", { ...files, ".gitignore": "" }), { dirty: true })
    const source = await check(run)
    expect((await check(run)).tree).toBe(source.tree)
  })

  it("takes a project that is a folder of a larger repository", async () => {
    const repo = await temporaryRepository()
    const prefixed = Object.fromEntries(Object.entries(files).map(([name, text]) => [`platform/shop/${name}`, text]))
    await repo.commit("First", { ...prefixed, "other/x.txt": "x\n" })
    const commit = await repo.commit("Second", { "platform/shop/order/b.java": "2\n", "other/x.txt": "y\n" })
    const project = join(repo.dir, "platform", "shop")
    const run = repo.run(commit, { project })
    const source = await check(run)
    expect(source.changed).toEqual(["order/b.java"])
    const dir = await sourceDir(run, source)
    expect(await readFile(join(dir, "order/b.java"), "utf8")).toBe("2\n")
    await repo.write({ "platform/shop/order/b.java": "3\n" })
    const dirty = await check(repo.run(commit, { project, dirty: true }))
    expect(dirty.changed).toEqual(["order/b.java"])
    expect(dirty.services["catalog"]).toBe(source.services["catalog"])
  })

  it("says what is wrong with the commit, the clone and the services", async () => {
    const repo = await temporaryRepository()
    const first = await repo.commit("First", { "catalog/a.js": "1\n" })
    await expect(check(repo.run("a".repeat(40)))).rejects.toMatchObject({ code: "CHECKOUT-COMMIT", kind: "usage" })
    await expect(check(repo.run(first))).rejects.toMatchObject({
      code: "CHECKOUT-SERVICE",
      message: expect.stringContaining("order") as string,
    })
    const second = await repo.commit("Second", files)
    const clone = await temporaryFolder()
    await execa("git", ["clone", "--quiet", "--depth=1", `file://${repo.dir}`, clone])
    await expect(check(repo.run(second, { project: clone }))).rejects.toMatchObject({
      code: "CHECKOUT-SHALLOW",
      hint: expect.stringContaining("--unshallow") as string,
    })
  })
})
