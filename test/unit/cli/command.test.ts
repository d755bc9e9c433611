import { readdir, readFile, writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { command, repository } from "./built.js"
import { config, hostStep, makeProject, targets } from "./rig.js"

const pipelines = {
  green: [hostStep("hello", 'log.info("hello from the step")'), targets("hello")].join("\n"),
  red: [
    hostStep(
      "tests",
      'throw fault({ code: "TESTS-RED", kind: "failed", message: "1 of 2 tests is red", hint: "mend it" })',
    ),
    hostStep("after", "", "after: [tests],"),
    targets("after"),
  ].join("\n"),
  broken: [hostStep("network", 'throw new Error("ECONNREFUSED")'), targets("network")].join("\n"),
  asks: [
    hostStep(
      "gate",
      'throw fault({ code: "ASKED", kind: "waiting", message: "somebody has to decide" })',
      "gate: true,",
    ),
    targets("gate"),
  ].join("\n"),
  secret: [
    hostStep("before", 'writeFileSync("ran", "")'),
    hostStep("uses", 'log.info("token " + secrets.TOKEN.plaintext())', 'secrets: ["TOKEN"], after: [before],'),
    targets("uses"),
  ].join("\n"),
  two: [
    hostStep("svc.build-image", ""),
    hostStep("svc.scan", "", "after: [svc_build_image],"),
    targets("svc.scan"),
  ].join("\n"),
}
const service = { "svc/gantry.service.yaml": 'name: catalog\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n' }
const files = { ...config(pipelines, 'services: ["svc"],'), ...service }
const project = () => makeProject(files)
/** For tests that leave nothing behind that another could stumble over. */
let shared: Awaited<ReturnType<typeof makeProject>>
beforeAll(async () => {
  shared = await makeProject(files, { keep: true })
})
afterAll(() => shared.dispose())

describe("exit codes", () => {
  it.each([
    ["green", 0],
    ["red", 1],
    ["nothing-like-it", 2],
    ["broken", 3],
    ["asks", 4],
  ])("gantry run %s answers %i", async (name, code) => {
    const { gantry } = shared
    const result = await gantry("run", name)
    expect(result).toMatchObject({ code, signal: null })
    expect(result.stderr).not.toContain("UNEXPECTED: an exit")
  })
  it.each([
    [["--help"], 0],
    [["--version"], 0],
    [["run", "--help"], 0],
    [["rnu"], 2],
    [["run"], 2],
    [["run", "green", "--nope"], 2],
    [["run", "green", "extra"], 2],
    [["run", "green", "-j", "0"], 2],
    [["run", "green", "-j", "many"], 2],
    [["runs", "-n", "x"], 2],
    [["runs", "--prune", "x"], 2],
    [["run", "green", "--until", "hello", "--only", "hello"], 2],
    [["approve", "last"], 2],
    [["show", "nope"], 2],
    [["logs", "nope", "hello"], 2],
    [["-C", "/", "runs"], 2],
    [["-C", "/does/not/exist", "runs"], 2],
  ])("gantry %j answers %i", async (args, code) => {
    const { gantry } = shared
    expect(await gantry(...args)).toMatchObject({ code, signal: null })
  })
})

describe("what goes where", () => {
  it("the run's id on standard output, all else on standard error", async () => {
    const { gantry } = await project()
    const { stdout, stderr } = await gantry("run", "green")
    expect(stdout).toMatch(/^\d{8}-\d{6}-[0-9a-f]{4,}\n$/)
    expect(stderr).toContain("hello from the step")
    const id = stdout.trim()
    expect((await gantry("logs", id, "hello")).stdout).toContain("hello from the step")
    expect((await gantry("show", "last")).stdout).toContain(id)
    expect((await gantry("runs")).stdout).toContain(id)
  })
  it("errors on standard error, with code, cause and what to do", async () => {
    const { gantry } = shared
    const { stdout, stderr } = await gantry("run", "gren")
    expect(stdout).toBe("")
    expect(stderr).toContain('PIPELINE-UNKNOWN: There is no pipeline "gren"; did you mean "green"?')
    expect(stderr).toMatch(/now .*Pipelines are: delivery, dev, green/)
  })
  it("no colours in a pipe; FORCE_COLOR brings them, NO_COLOR wins", async () => {
    const { start } = shared
    const colour = "\u001b["
    expect((await start(["run", "green"]).ended).stderr).not.toContain(colour)
    expect((await start(["run", "green"], { FORCE_COLOR: "1" }).ended).stderr).toContain(colour)
    expect((await start(["run", "green"], { FORCE_COLOR: "1", NO_COLOR: "1" }).ended).stderr).not.toContain(colour)
    expect((await start(["run", "nope"], { NO_COLOR: "1" }).ended).stderr).not.toContain(colour)
  })
  it("a reader that leaves early is no error", async () => {
    const { start } = shared
    const { child, ended } = start(["--help"])
    child.stdout?.destroy()
    expect((await ended).code).toBe(0)
  })
})

describe("--json", () => {
  it("of every verb that reads is JSON and nothing else", async () => {
    const { gantry } = await project()
    const id = (await gantry("run", "green")).stdout.trim()
    const json = async (...args: string[]) => {
      const { code, stdout } = await gantry(...args, "--json")
      expect(code, args.join(" ")).toBe(0)
      return JSON.parse(stdout) as unknown
    }
    expect(await json("plan", "green")).toMatchObject({ pipeline: "green", steps: [{ id: "hello", action: "run" }] })
    expect(await json("runs")).toMatchObject([{ id, status: "success" }])
    expect(await json("show", id)).toMatchObject({ schema: 1, id, steps: [{ id: "hello", status: "success" }] })
    expect(await json("logs", id, "hello")).toMatchObject({
      step: "hello",
      log: expect.stringContaining("hello from") as string,
    })
  })
  it("of a run is one event a line", async () => {
    const { gantry } = shared
    const { code, stdout } = await gantry("run", "red", "--json")
    expect(code).toBe(1)
    const events = stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as { type: string; status?: string })
    expect(events[0]?.type).toBe("run-started")
    expect(events.at(-1)).toMatchObject({ type: "run-finished", status: "failed" })
    expect(events).toContainEqual(expect.objectContaining({ type: "step-finished", step: "after", status: "skipped" }))
  })
  it("never asks", async () => {
    const { gantry } = shared
    expect((await gantry("run", "asks", "--json")).code).toBe(4)
  })
})

describe("names that are not there are answered with the nearest", () => {
  it.each([
    [["run", "grene"], 'did you mean "green"'],
    [["plan", "delivry"], 'did you mean "delivery"'],
    [["run", "green", "--service", "catlog"], 'There is no service "catlog"; did you mean "catalog"'],
    [["run", "two", "--until", "bild-image"], 'did you mean "svc.build-image"'],
    [["run", "two", "--only", "scna"], 'did you mean "svc.scan"'],
    [["run", "green", "--comit", "x"], "did you mean --commit"],
    [["rum", "green"], "Did you mean run"],
  ])("gantry %j", async (args, text) => {
    const { gantry, dir } = shared
    const { code, stderr } = await gantry(...args)
    expect(code).toBe(2)
    expect(stderr).toMatch(new RegExp(text, "i"))
    expect(await readdir(dir)).not.toContain("ran")
  })
  it("and a step of a run that has no such step", async () => {
    const { gantry } = shared
    await gantry("run", "two")
    const { code, stderr } = await gantry("logs", "last", "scann")
    expect(code).toBe(2)
    expect(stderr).toContain('did you mean "svc.scan"')
    expect((await gantry("logs", "last", "scan")).code).toBe(0)
  })
})

describe("before anything runs", () => {
  it("a missing secret; a present one is masked", async () => {
    const { gantry, start, dir } = await project()
    const missing = await gantry("run", "secret")
    expect(missing).toMatchObject({ code: 2, stdout: "" })
    expect(missing.stderr).toMatch(/SECRET-MISSING: A secret is missing: TOKEN \(for uses\)/)
    expect(await readdir(dir)).not.toContain("ran")
    expect((await gantry("runs", "--json")).stdout).toBe("[]\n")
    const { code, stdout, stderr } = await start(["run", "secret"], { TOKEN: "s3cr3t-value" }).ended
    expect(code).toBe(0)
    expect(stderr).toContain("token ***")
    const run = join(dir, ".gantry/runs", stdout.trim())
    for (const name of await readdir(run, { recursive: true, withFileTypes: true })) {
      if (name.isFile())
        expect(await readFile(join(name.parentPath, name.name), "utf8"), name.name).not.toContain("s3cr3t")
    }
  })
  it("an unknown commit", async () => {
    const { gantry } = shared
    expect((await gantry("run", "green", "--commit", "nope")).stderr).toContain(
      'COMMIT-UNKNOWN: There is no commit "nope"',
    )
    expect(await gantry("run", "green", "--commit=--all")).toMatchObject({ code: 2 })
    expect((await gantry("run", "green", "--dirty", "--commit", "HEAD")).stderr).toContain("USAGE-DIRTY")
  })
  it("a repository without a commit", async () => {
    const { gantry } = await makeProject(files, { commit: false })
    const { code, stderr } = await gantry("run", "green")
    expect(code).toBe(2)
    expect(stderr).toContain("The repository has no commit yet")
  })
  it("no repository", async () => {
    const { gantry, dir } = await project()
    const { rename } = await import("node:fs/promises")
    await rename(join(dir, ".git"), join(dir, "no-git"))
    const { code, stderr } = await gantry("run", "green")
    expect(code).toBe(2)
    expect(stderr).toMatch(/GIT-NO-REPOSITORY: .* is not in a git repository/)
  })
  it("a broken configuration, with file and line", async () => {
    const { gantry, dir } = await project()
    await writeFile(join(dir, "gantry.config.ts"), 'export default {\n  project: "shop",\n  servces: [],\n}\n')
    const { code, stdout, stderr } = await gantry("plan", "delivery")
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" })
    expect(stderr).toContain('gantry.config.ts:3: servces: there is no such field; did you mean "services"?')
  })
  it("an environment that the pipeline wants and nobody configured", async () => {
    const { gantry, dir } = await project()
    await writeFile(
      join(dir, "gantry.config.ts"),
      'export default { project: "shop", services: ["svc"], environments: { test: {}, prd: {} } }\n',
    )
    const { code, stderr } = await gantry("plan", "delivery")
    expect(code).toBe(2)
    expect(stderr).toMatch(/ENVIRONMENT-UNKNOWN: The pipeline deploys to "uat"/)
  })
  it.each([
    ["an exception", "() => (undefined as any).x", /PIPELINE-BROKEN: The function of pipeline "p"[^]*Cannot read/],
    ["nothing", "() => undefined as any", /PIPELINE-BROKEN[^]*It answered undefined/],
    ["a promise", "async () => ({}) as any", /PIPELINE-BROKEN[^]*It answered a promise/],
  ])("a pipeline that is %s", async (_, text, message) => {
    const { gantry, dir } = await project()
    await writeFile(join(dir, "gantry.config.ts"), `export default { project: "shop", pipelines: { p: ${text} } }\n`)
    const { code, stderr } = await gantry("plan", "p")
    expect(code).toBe(2)
    expect(stderr).toMatch(message)
  })
})

it("plan shows what would run, and runs nothing", async () => {
  const { gantry, dir } = shared
  const { code, stdout, stderr } = await gantry("plan", "secret")
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" })
  expect(stdout).toMatch(/before[^]*uses/)
  expect(stdout).toContain("TOKEN")
  expect(await readdir(dir)).not.toContain("ran")
})

it("prune keeps the newest, and what waits", async () => {
  const { gantry } = await project()
  await gantry("run", "asks")
  await gantry("run", "green")
  await gantry("run", "red")
  expect((await gantry("runs", "--prune", "1")).code).toBe(0)
  const left = JSON.parse((await gantry("runs", "--json")).stdout) as { status: string }[]
  expect(left.map((r) => r.status)).toEqual(["failed", "waiting"])
})

it("help loads nothing but commander", async () => {
  const seen = new Set<string>()
  const packages = new Set<string>()
  const visit = async (path: string): Promise<void> => {
    if (seen.has(path)) return
    seen.add(path)
    const text = await readFile(path, "utf8")
    for (const [, from = ""] of text.matchAll(/^(?:import|export)\b[^;"]*?from "([^"]+)"|^import "([^"]+)"/gm)) {
      if (from.startsWith(".")) await visit(join(path, "..", from))
      else if (!from.startsWith("node:")) packages.add(from)
    }
  }
  await visit(command)
  expect([...packages]).toEqual(["commander"])
  expect(seen.size).toBeLessThan(8)
  const { version } = JSON.parse(await readFile(join(repository, "package.json"), "utf8")) as { version: string }
  const { gantry } = shared
  expect((await gantry("--version")).stdout).toBe(`${version}\n`)
  const help = (await gantry("--help")).stdout
  for (const verb of [
    "run",
    "plan",
    "resume",
    "approve",
    "reject",
    "runs",
    "show",
    "logs",
    "doctor",
    "stack",
    "init",
  ]) {
    expect(help).toMatch(new RegExp(`^  ${verb}\\b`, "m"))
  }
  expect(help).toContain("4 waiting for approval")
})
