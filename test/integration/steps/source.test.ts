import { appendFile, chmod, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { sourceDir } from "../../../steps/source.js"
import { temporaryFolder, temporaryRepository } from "./repository.js"

describe("sourceDir", () => {
  it("makes exactly the files of the tree, whatever lies in the work tree and in .gitattributes", async () => {
    const repo = await temporaryRepository()
    await repo.write({
      ".gitignore": "node_modules/\n.gantry/\n",
      ".gitattributes": "docs export-ignore\n*.txt export-subst text\n",
      "src/a.js": "1\n",
      "docs/page.md": "kept\n",
      "note.txt": "$Format:%H$\n",
      "run.sh": "#!/bin/sh\n",
    })
    await chmod(join(repo.dir, "run.sh"), 0o755)
    await symlink("src/a.js", join(repo.dir, "link.js"))
    const commit = await repo.commit("First", { "crlf.bin": "a\r\nb\r\n" })
    const tree = await repo.git("rev-parse", "HEAD^{tree}")
    await repo.write({ "src/a.js": "changed\n", "src/new.js": "new\n", "node_modules/x.js": "ignored\n" })

    const dir = await sourceDir(repo.run(commit), { tree, commit })

    expect(await readFile(join(dir, "src/a.js"), "utf8")).toBe("1\n")
    expect(await readFile(join(dir, "docs/page.md"), "utf8")).toBe("kept\n")
    expect(await readFile(join(dir, "note.txt"), "utf8")).toBe("$Format:%H$\n")
    expect(await readFile(join(dir, "crlf.bin"), "utf8")).toBe("a\r\nb\r\n")
    expect((await stat(join(dir, "run.sh"))).mode & 0o111).toBe(0o111)
    expect((await readdir(dir)).sort()).toEqual(
      [".gitattributes", ".gitignore", "crlf.bin", "docs", "link.js", "note.txt", "run.sh", "src"].sort(),
    )
    expect(await readdir(join(dir, "src"))).toEqual(["a.js"])
    expect(await repo.git("status", "--porcelain")).toBe(" M src/a.js\n?? src/new.js".trimEnd())
  })

  it("keeps a tree that is untouched and makes it again when a file was changed, added or lost", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", { "a.txt": "a\n", "b.txt": "b\n", ".gitignore": ".gantry\n*.log\n" })
    const source = { commit, tree: await repo.git("rev-parse", "HEAD^{tree}") }
    const run = repo.run(commit)
    const dir = await sourceDir(run, source)
    const first = (await stat(dir)).ino
    expect(await sourceDir(run, source)).toBe(dir)
    expect((await stat(dir)).ino).toBe(first)

    await appendFile(join(dir, "a.txt"), "tampered")
    await sourceDir(run, source)
    expect(await readFile(join(dir, "a.txt"), "utf8")).toBe("a\n")

    await writeFile(join(dir, "ignored.log"), "left by a tool")
    await sourceDir(run, source)
    expect((await readdir(dir)).sort()).toEqual([".gitignore", "a.txt", "b.txt"])

    await rm(join(dir, "b.txt"))
    await sourceDir(run, source)
    expect(await readFile(join(dir, "b.txt"), "utf8")).toBe("b\n")

    await rm(`${dir}.tree`)
    await sourceDir(run, source)
    expect(await readFile(`${dir}.tree`, "utf8")).toBe(source.tree)
  })

  it("does the work once for steps that ask at the same time", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", { "a.txt": "a\n" })
    const source = { commit, tree: await repo.git("rev-parse", "HEAD^{tree}") }
    const dirs = await Promise.all(Array.from({ length: 8 }, () => sourceDir(repo.run(commit), source)))
    expect(new Set(dirs).size).toBe(1)
    expect(await readdir(dirs[0] ?? "")).toEqual(["a.txt"])
    expect((await readdir(repo.run(commit).dir)).sort()).toEqual(["source", "source.index", "source.tree"])
  })

  it("works when it is started from a git hook", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", { "a.txt": "a\n" })
    const source = { commit, tree: await repo.git("rev-parse", "HEAD^{tree}") }
    process.env["GIT_INDEX_FILE"] = "/nonexistent/index"
    process.env["GIT_DIR"] = "/nonexistent"
    try {
      expect(await readdir(await sourceDir(repo.run(commit), source))).toEqual(["a.txt"])
    } finally {
      delete process.env["GIT_INDEX_FILE"]
      delete process.env["GIT_DIR"]
    }
  })

  it("says what is wrong", async () => {
    const repo = await temporaryRepository()
    const commit = await repo.commit("First", { "a.txt": "a\n" })
    const unknown = { commit: "f".repeat(40), tree: "e".repeat(40) }
    await expect(sourceDir(repo.run(commit), unknown)).rejects.toMatchObject({ code: "SOURCE-TREE", kind: "errored" })
    const folder = await temporaryFolder()
    await expect(sourceDir(repo.run(commit, { project: folder }), unknown)).rejects.toMatchObject({
      code: "GIT-NO-REPOSITORY",
      kind: "usage",
    })
    const path = process.env["PATH"]
    process.env["PATH"] = folder
    try {
      await expect(sourceDir(repo.run(commit), unknown)).rejects.toMatchObject({ code: "GIT-MISSING" })
    } finally {
      process.env["PATH"] = path
    }
  })
})
