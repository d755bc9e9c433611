import { cp, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest"
import { JobSummary } from "../../../report/ci/summary.js"
import { bring } from "../ci/rig.js"
import { config, hostStep, makeProject, targets } from "./rig.js"

const delivery = [
  hostStep(
    "catalog.unit",
    'log.info("41 tests"); log.info("a tool finds " + execFileSync("env").toString().match(/^(ORDER_TOKEN|OF_SETTINGS|PLAIN)(?==)/gm))',
    'service: "catalog",',
  ),
  hostStep("order.unit", "", 'service: "order",'),
  hostStep("order.publish", "", 'service: "order", secrets: ["ORDER_TOKEN"], after: [order_unit],'),
  hostStep(
    "deploy",
    'log.info("token " + secrets.TOKEN.plaintext() + " key " + (process.env.GANTRY_RECORD_KEY ?? "gone")); ' +
      'log.info("a tool finds " + execFileSync("env").toString().match(/^(CI_JOB_TOKEN|TOKEN|ORDER_TOKEN|GITLAB_TOKEN|OF_SETTINGS|PLAIN)(?==)/gm))',
    'secrets: ["TOKEN"], after: [...(settings.services.some((s) => s.name === "catalog") ? [catalog_unit] : []), ...(settings.services.some((s) => s.name === "order") ? [order_unit] : [])],',
  ),
  '      return pipeline("p", { targets: [deploy, ...(settings.services.some((s) => s.name === "order") ? [order_publish] : [])] })',
].join("\n")
const red = [
  hostStep("tests", 'throw fault({ code: "TESTS-RED", kind: "failed", message: "1 of 2 tests is red" })'),
  hostStep("after", "", "after: [tests],"),
  hostStep("net", 'throw new Error("ECONNRESET")'),
  targets("after", "net"),
].join("\n")
const asks = [
  hostStep("build", ""),
  hostStep("gate", 'throw fault({ code: "ASKED", kind: "waiting", message: "decide" })', "gate: true, after: [build],"),
  targets("gate"),
].join("\n")
const service = (name: string) => `name: ${name}\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n`
const files = {
  ...config({ delivery, red, asks }, 'services: ["catalog", "order"], ci: { gitlab: { visible: ["PLA*"] } },'),
  "catalog/gantry.service.yaml": service("catalog"),
  "order/gantry.service.yaml": service("order"),
}
const key = "0123456789abcdef0123456789abcdef"

let shared: Awaited<ReturnType<typeof makeProject>>
beforeAll(async () => {
  shared = await makeProject(files, { keep: true })
})
afterAll(() => shared.dispose())

/** A clone of the project, as a runner makes one for each job, with the artifacts of the jobs before. */
async function clone(...from: readonly string[]): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "gantry-job-"))
  onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }))
  await cp(shared.dir, dir, { recursive: true, filter: (path) => !path.includes(".gantry") })
  for (const folder of from) await bring(folder, dir)
  return dir
}

const gitlab = (more: Record<string, string> = {}) => ({
  CI: "true",
  GITLAB_CI: "true",
  CI_PIPELINE_ID: "4711",
  CI_JOB_ID: "1",
  CI_JOB_URL: "https://gitlab.example/shop/-/jobs/1",
  CI_COMMIT_SHA: shared.git("rev-parse", "HEAD"),
  CI_COMMIT_REF_NAME: "main",
  CI_COMMIT_BRANCH: "main",
  CI_COMMIT_REF_PROTECTED: "true",
  CI_PIPELINE_SOURCE: "push",
  CI_PROJECT_ID: "12",
  GANTRY_RECORD_KEY: key,
  CI_JOB_TOKEN: "glcbt-of-the-job",
  GITLAB_TOKEN: "",
  TOKEN: "s3cr3t-value",
  ORDER_TOKEN: "s3cr3t-of-order",
  PLAIN: "for everybody",
  OF_SETTINGS: "masked or not, who knows",
  ...more,
})
const run = (dir: string, name: string, env: Record<string, string> = gitlab(), pipeline = "delivery") =>
  shared.start(["-C", dir, "job", name, "--pipeline", pipeline], env).ended
const summary = async (dir: string, job: string) =>
  JobSummary.parse(JSON.parse(await readFile(join(dir, ".gantry/ci", job, "summary.json"), "utf8")))

describe("gantry job in GitLab CI", () => {
  it("goes from job to job, with sections, without secrets", async () => {
    const [catalog, order] = [await clone(), await clone()]
    const first = await run(catalog, "catalog.unit")
    expect(first).toMatchObject({ code: 0, stdout: "" })
    expect(first.stderr).toMatch(/\u001b\[0Ksection_start:\d+:gantry_catalog\.unit\[collapsed=true\]\r\u001b\[0K/)
    expect(first.stderr).toContain("41 tests")
    expect(await run(order, "order.unit")).toMatchObject({ code: 0 })
    const deploy = await clone(catalog, order)
    const last = await run(deploy, "deploy")
    expect(last.code, last.stderr).toBe(0)
    expect(last.stderr).toContain("catalog.unit success")
    expect(last.stderr).toContain("token *** key gone")
    expect(last.stderr).toMatch(/a tool finds PLAIN$/m)
    expect(last.stderr).toMatch(/^Not for steps: .*\bOF_SETTINGS\b.*\. A step gets what it declares/m)
    expect(await summary(deploy, "deploy")).toMatchObject({
      run: "gitlab-4711",
      status: "success",
      steps: [{ id: "deploy" }],
    })
    for (const entry of await readdir(join(deploy, ".gantry"), { recursive: true, withFileTypes: true })) {
      if (!entry.isFile()) continue
      const text = await readFile(join(entry.parentPath, entry.name), "utf8")
      expect(text.includes("s3cr3t") || text.includes("glcbt") || text.includes(key), entry.name).toBe(false)
    }
    // The verbs that read runs read this one.
    const on = (...args: string[]) => shared.start(["-C", deploy, ...args]).ended
    expect((await on("show", "gitlab-4711")).stdout).toContain("deploy")
    expect((await on("logs", "last", "deploy")).stdout).toContain("token ***")
    expect(JSON.parse((await on("runs", "--json")).stdout)).toMatchObject([{ id: "gitlab-4711", status: "success" }])
  })
  it.each([
    ["tests", 1, "red"],
    ["net", 3, "red"],
    ["nothing", 2, "red"],
    ["tests", 2, "gren"],
  ])("%s answers %i, and leaves its files", async (name, code, pipeline) => {
    const dir = await clone()
    const result = await run(dir, name, gitlab(), pipeline)
    expect(result.code, result.stderr).toBe(code)
    expect((await readdir(join(dir, ".gantry/ci", name))).sort()).toHaveLength(9)
    expect((await summary(dir, name)).status).not.toBe("success")
  })
  it("goes on in a folder that was kept: success is not repeated, the log is whole", async () => {
    const dir = await clone()
    expect((await run(dir, "catalog.unit")).code).toBe(0)
    const again = await run(dir, "catalog.unit")
    expect(again.code).toBe(0)
    expect(again.stderr).toContain("run gitlab-4711 goes on")
    expect(again.stderr).not.toContain("41 tests")
    expect(again.stderr).toMatch(/delivery · catalog\.unit.* succeeded/)
    const next = await run(dir, "order.unit")
    expect(next.code, next.stderr).toBe(0)
    expect((await run(dir, "deploy")).code).toBe(0)
  })
  it("waits with 4, and answers 1 when it was started behind something red", async () => {
    const build = await clone()
    expect((await run(build, "build", gitlab(), "asks")).code).toBe(0)
    expect((await run(await clone(build), "gate", gitlab(), "asks")).code).toBe(4)
    const tests = await clone()
    await run(tests, "tests", gitlab(), "red")
    const after = await run(await clone(tests), "after", gitlab(), "red")
    expect(after.code).toBe(1)
    expect(after.stderr).toContain("tests failed")
  })
  it("without the jobs before it, with a forged record, without the key for a gate: nothing runs", async () => {
    const alone = await clone()
    const missing = await run(alone, "deploy")
    expect(missing.code).toBe(2)
    expect(missing.stderr).toContain("RECORD-MISSING")
    expect(await summary(alone, "deploy")).toMatchObject({ error: { code: "RECORD-MISSING" }, steps: [] })
    const build = await clone()
    await run(build, "build", gitlab(), "asks")
    const path = join(build, ".gantry/runs/gitlab-4711/steps/build/sealed.json")
    await writeFile(path, (await readFile(path, "utf8")).replace('"attempts": 1', '"attempts": 2'))
    const forged = await run(await clone(build), "gate", gitlab(), "asks")
    expect(forged.code).toBe(1)
    expect(forged.stderr).toContain("RECORD-FORGED")
    const unsealed = await run(await clone(), "gate", gitlab({ GANTRY_RECORD_KEY: "" }), "asks")
    expect(unsealed.code).toBe(2)
    expect(unsealed.stderr).toContain("RECORD-UNSEALED")
  })
  it("a missing secret says that the branch is not protected, or that a fork gets none", async () => {
    const [catalog, order] = [await clone(), await clone()]
    await run(catalog, "catalog.unit")
    await run(order, "order.unit")
    const open = await run(
      await clone(catalog, order),
      "deploy",
      gitlab({ TOKEN: "", CI_COMMIT_REF_PROTECTED: "false" }),
    )
    expect(open.code).toBe(2)
    expect(open.stderr).toMatch(/SECRET-MISSING: A secret is missing: TOKEN \(for deploy\)/)
    expect(open.stderr).toMatch(/Branch main is not protected/)
    const fork = gitlab({ CI_MERGE_REQUEST_SOURCE_PROJECT_ID: "13", GANTRY_RECORD_KEY: "" })
    const [a, b] = [await clone(), await clone()]
    await run(a, "catalog.unit", fork)
    await run(b, "order.unit", fork)
    expect((await run(await clone(a, b), "deploy", fork)).stderr).toMatch(/a fork's code gets no secrets/)
  })
  it("junk in GitLab's variables is an error that names the variable", async () => {
    const result = await run(await clone(), "catalog.unit", gitlab({ CI_PIPELINE_ID: "$(id)" }))
    expect(result.code).toBe(2)
    expect(result.stderr).toContain('CI-VARIABLE: CI_PIPELINE_ID is "$(id)", not a number')
  })
  it("a branch that is deleted while its pipeline runs is no obstacle; a commit that is gone is told", async () => {
    // What GitLab Runner does with GIT_DEPTH 0: fetches the pipeline's own ref and all branches, and checks out the commit.
    const [origin, dir] = [await clone(), await mkdtemp(join(tmpdir(), "gantry-job-"))]
    onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }))
    const at = (folder: string, ...args: string[]) => shared.git("-C", folder, ...args)
    at(origin, "checkout", "-q", "-b", "feature")
    at(origin, "commit", "-q", "--allow-empty", "-m", "A feature")
    const sha = at(origin, "rev-parse", "HEAD")
    at(origin, "update-ref", "refs/pipelines/4711", sha)
    at(origin, "checkout", "-q", "main")
    at(origin, "branch", "-q", "-D", "feature")
    at(dir, "init", "-q", "--template=")
    at(dir, "remote", "add", "origin", origin)
    at(dir, "fetch", "-q", "origin", "+refs/pipelines/4711:refs/pipelines/4711", "+refs/heads/*:refs/remotes/origin/*")
    at(dir, "checkout", "-q", "--detach", sha)
    const of = { CI_COMMIT_SHA: sha, CI_COMMIT_BRANCH: "feature", CI_COMMIT_REF_NAME: "feature" }
    const done = await run(dir, "catalog.unit", gitlab(of))
    expect(done.code, done.stderr).toBe(0)
    const record = JSON.parse(await readFile(join(dir, ".gantry/ci/catalog.unit/run.json"), "utf8")) as object
    expect(record).toMatchObject({ commit: sha, facts: { branch: "feature" } })

    const gone = await run(await clone(), "catalog.unit", gitlab({ ...of, CI_COMMIT_SHA: "1".repeat(40) }))
    expect(gone.code).toBe(2)
    expect(gone.stderr).toMatch(/COMMIT-UNKNOWN: The commit of this pipeline is not in the clone: 1{40}/)
    expect(gone.stderr).toMatch(/feature was deleted or pushed over/)
  })
})

describe("services that a change does not affect", () => {
  it("have nothing to do; the jobs behind do not wait for them", async () => {
    const base = shared.git("rev-parse", "HEAD")
    await writeFile(join(shared.dir, "catalog/index.js"), String(Date.now()))
    shared.git("add", "-A")
    shared.git("commit", "-q", "-m", "Catalog only")
    const env = gitlab({ CI_COMMIT_BEFORE_SHA: base })
    const order = await clone()
    const left = await run(order, "order.unit", env)
    expect(left.code).toBe(0)
    expect(left.stderr).toContain("order is left out")
    expect(await readdir(join(order, ".gantry/ci/order.unit"))).toHaveLength(9)
    const other = await run(await clone(), "catalog.unit", env)
    expect(other.code).toBe(0)
    expect(other.stderr).toMatch(/a tool finds PLAIN$/m)
    const since = await shared.start(["plan", "delivery", "--json", "--changed-since", base]).ended
    expect((JSON.parse(since.stdout) as { services: string[] }).services).toEqual(["catalog"])
    expect((await shared.start(["run", "delivery", "--changed-since", "HEAD"]).ended).stderr).toContain(
      "Nothing to run",
    )
    expect((await shared.start(["run", "delivery", "--changed-since", "nope"]).ended).code).toBe(2)
    const unknown = await run(await clone(), "ordr.unit", env)
    expect(unknown.code).toBe(2)
    expect(unknown.stderr).toContain("JOB-UNKNOWN")
  })
})

describe("outside of CI", () => {
  it("somebody has to say which run it is", async () => {
    const dir = await clone()
    const none = await shared.start(["-C", dir, "job", "catalog.unit", "--pipeline", "delivery"]).ended
    expect(none.code).toBe(2)
    expect(none.stderr).toContain("JOB-RUN")
    const said = await shared.start(["-C", dir, "job", "catalog.unit", "--pipeline", "delivery", "--run", "try-1"])
      .ended
    expect(said.code, said.stderr).toBe(0)
    expect(said.stderr).not.toContain("section_start")
    const bad = await shared.start(["-C", dir, "job", "catalog.unit", "--pipeline", "delivery", "--run", "../x"]).ended
    expect(bad.stderr).toContain("RUN-ID")
    const other = await shared.start(
      ["-C", dir, "job", "catalog.unit", "--pipeline", "delivery", "--run", "x"],
      gitlab(),
    ).ended
    expect(other.code).toBe(2)
  })
})
