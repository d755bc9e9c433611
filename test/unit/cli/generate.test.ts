import { mkdir, readFile, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { makeProject } from "./rig.js"

const service = (name: string, more = "") =>
  `name: ${name}\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n${more}`
const files = {
  "gantry.config.ts": 'export default { project: "shop", services: ["catalog", "order"] }\n',
  "catalog/gantry.service.yaml": service("catalog"),
  "order/gantry.service.yaml": service("order", "calls: [catalog]\ninputs: [libs/**]\n"),
  "libs/a.js": "",
  "README.md": "# Shop\n",
}

describe("gantry generate", () => {
  it.each([
    ["gitlab", ".gitlab-ci.yml"],
    ["github", ".github/workflows/delivery.yml"],
  ])("%s writes %s, which is then current, also once it is committed", async (host, path) => {
    const { dir, gantry, git } = await makeProject(files)
    expect(await gantry("generate", host, "--check")).toMatchObject({
      code: 5,
      stdout: expect.stringContaining(`${path} is missing`),
    })
    expect(await gantry("generate", host)).toMatchObject({ code: 0, stdout: "", stderr: `wrote ${path}\n` })
    const text = await readFile(join(dir, path), "utf8")
    expect(text).toContain(`# Made by \`gantry generate ${host}\``)
    git("add", "-A")
    git("commit", "-q", "-m", "CI")
    // As in a CI job.
    await mkdir(join(dir, ".npm"))
    await writeFile(join(dir, ".npm/package.tgz"), "")
    expect(await gantry("generate", host, "--check")).toMatchObject({ code: 0, stdout: "", stderr: "" })
    expect((await gantry("generate", host, "--stdout")).stdout).toBe(text)
  })
  it("tells a stale file from one edited by hand, shows what differs, and destroys nothing", async () => {
    const { dir, gantry } = await makeProject(files)
    await gantry("generate", "gitlab")
    const path = join(dir, ".gitlab-ci.yml")
    const text = await readFile(path, "utf8")

    await writeFile(
      join(dir, "gantry.config.ts"),
      files["gantry.config.ts"].replace(" }", ", ci: { setup: ['make'] } }"),
    )
    const stale = await gantry("generate", "gitlab", "--check")
    expect(stale.code).toBe(5)
    expect(stale.stdout).toContain("is not what the pipeline and gantry.config.ts make now")
    expect(stale.stdout).toContain("-    - npm ci\n+    - make\n")

    await writeFile(path, text.replace("npm ci", "npm install"))
    const edited = await gantry("generate", "gitlab", "--check")
    expect(edited).toMatchObject({ code: 5, stdout: expect.stringContaining("edited by hand") })
    expect(await gantry("generate", "gitlab")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("GENERATE-EDITED"),
    })
    expect(await gantry("generate", "gitlab", "--force")).toMatchObject({ code: 0 })
    expect(await readFile(path, "utf8")).toContain("- make")
  })
  it("says what it cannot do", async () => {
    const { dir, gantry } = await makeProject(files)
    expect(await gantry("generate", "jenkins")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("USAGE-GENERATE"),
    })
    expect(await gantry("generate", "gitlab", "--pipeline", "deliver")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('did you mean "delivery"'),
    })
    await rm(join(dir, ".git"), { recursive: true })
    const outside = await gantry("generate", "gitlab", "--stdout")
    expect(outside.code).toBe(0)
    expect(outside.stdout).not.toContain("changes:")
  })
  it("wants the project to be the root of its repository", async () => {
    const inner = Object.fromEntries(Object.entries(files).map(([name, text]) => [`shop/${name}`, text]))
    const { gantry } = await makeProject(inner)
    expect(await gantry("-C", "shop", "generate", "gitlab")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("GENERATE-FOLDER"),
    })
  })
})

describe("gantry affected", () => {
  it("lists services by what changed since a commit, and says why the others are not", async () => {
    const { dir, gantry, git } = await makeProject(files)
    const base = git("rev-parse", "HEAD")
    const change = async (path: string) => {
      await writeFile(join(dir, path), "changed")
      git("add", "-A")
      git("commit", "-q", "-m", path)
    }
    await change("README.md")
    expect(await gantry("affected", "--changed-since", base, "--json")).toMatchObject({ code: 0, stdout: "[]\n" })
    await change("libs/a.js")
    expect(await gantry("affected", "--changed-since", base)).toMatchObject({
      code: 0,
      stdout: "order\n",
      stderr: expect.stringContaining("catalog is skipped: nothing of catalog changed"),
    })
    await change("package.json")
    expect((await gantry("affected", "--changed-since", base)).stdout).toBe("catalog\norder\n")
    for (const unknown of ["", "0".repeat(40), "f".repeat(40)]) {
      expect((await gantry("affected", "--changed-since", unknown)).stdout).toBe("catalog\norder\n")
    }
  })
})

describe("gantry stop", () => {
  it.each([
    ["prod", "ENV-STOP-APPROVED"],
    ["tset", 'did you mean "test"|Rename'],
  ])("does not take down %s", async (name, text) => {
    const { gantry } = await makeProject(files)
    const { code, stderr } = await gantry("stop", name)
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(text))
  })
  it("says when no Docker Engine answers, which is nobody's mistake here", async () => {
    const { start } = await makeProject(files)
    const { code, stderr } = await start(["stop", "test"], { DOCKER_HOST: "unix:///nowhere/docker.sock" }).ended
    expect(code).toBe(3)
    expect(stderr).toContain("ENV-STOP-NO-DOCKER")
  })
})
