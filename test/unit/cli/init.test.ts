import { mkdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { makeProject } from "./rig.js"

describe("gantry init", () => {
  it("writes a configuration, a pipeline and a declaration that plan understands", async () => {
    const { gantry, git, dir } = await makeProject({
      ".gitignore": "node_modules",
      "svc/Dockerfile": "FROM node:22-trixie-slim\nEXPOSE 3000\n",
      "svc/package.json": "{}",
      "svc/package-lock.json": "{}",
    })
    const { code, stdout, stderr } = await gantry("init", "svc", "--name", "My Shop!")
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" })
    for (const file of ["gantry.config.ts", "pipelines/first.ts", "svc/gantry.service.yaml", ".gitignore"]) {
      expect(stderr).toContain(`written  ${file}`)
    }
    expect(await readFile(join(dir, ".gitignore"), "utf8")).toBe("node_modules\n.gantry/\n")
    expect(await readFile(join(dir, "svc/gantry.service.yaml"), "utf8")).toMatch(/name: "svc"[^]*npm ci[^]*port: 3000/)
    expect(await readFile(join(dir, "gantry.config.ts"), "utf8")).toContain('project: "my-shop"')
    git("add", "-A")
    git("commit", "-q", "-m", "Gantry")
    const plan = await gantry("plan", "first", "--json")
    expect(plan.stderr).toBe("")
    const steps = (JSON.parse(plan.stdout) as { steps: { id: string }[] }).steps.map((s) => s.id)
    expect(steps).toEqual(expect.arrayContaining(["checkout", "hello", "svc.image", "svc.trivy"]))
    expect((await gantry("plan", "delivery")).code).toBe(0)
  })

  it("keeps what is there, and says how a further service comes in", async () => {
    const { gantry, dir } = await makeProject({ "a/Dockerfile": "FROM x\n", "b/Dockerfile": "FROM x\n" })
    await gantry("init", "a")
    const before = await readFile(join(dir, "gantry.config.ts"), "utf8")
    const again = await gantry("init", "a")
    expect(again.stderr).toMatch(/kept {5}gantry\.config\.ts\nkept {5}a\/gantry\.service\.yaml/)
    const second = await gantry("-C", "b", "init")
    expect(second.stderr).toContain("written  b/gantry.service.yaml")
    expect(second.stderr).toContain('Add "b" to `services`')
    expect(await readFile(join(dir, "gantry.config.ts"), "utf8")).toBe(before)
    expect((await readFile(join(dir, ".gitignore"), "utf8")).match(/\.gantry/g)).toHaveLength(1)
  })

  it("a repository that is a service itself, with a name that is none", async () => {
    const { gantry, dir, git } = await makeProject({ Dockerfile: "FROM x\n", "pom.xml": "<project/>" })
    expect((await gantry("init", "--name", "商品")).code).toBe(0)
    expect(await readFile(join(dir, "gantry.service.yaml"), "utf8")).toMatch(/name: "project"[^]*maven:3\.9/)
    git("add", "-A")
    git("commit", "-q", "-m", "Gantry")
    expect((await gantry("plan", "first")).code).toBe(0)
  })

  it.each([
    ["a folder without a Dockerfile", ["init", "empty"], /INIT-NO-DOCKERFILE: empty\/Dockerfile is not there/],
    ["a folder that is not there", ["init", "nope"], /INIT-NO-DOCKERFILE/],
    ["a Dockerfile that is a folder", ["init", "odd"], /INIT-NO-DOCKERFILE/],
    ["a folder outside", ["-C", "empty", "init", "../svc"], /INIT-OUTSIDE/],
  ])("refuses %s and writes nothing", async (_, args, message) => {
    const { gantry, dir, git } = await makeProject({ "svc/Dockerfile": "FROM x\n", "odd/Dockerfile/x": "" })
    await mkdir(join(dir, "empty"))
    await writeFile(join(dir, "empty/.keep"), "")
    git("add", "-A")
    const { code, stderr } = await gantry(...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
    expect(git("status", "--short", "--untracked-files=all")).toBe("A  empty/.keep")
  })
})
