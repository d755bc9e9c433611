import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { expect, it, onTestFinished } from "vitest"
import { RunRecord } from "../../../core/record.js"
import { JobSummary } from "../../../report/ci/summary.js"
import { fakeGitLab, job, mergeRequest } from "../../fakes/gitlab.js"
import { findings, image, step, summary } from "../ci/feedback/samples.js"
import { config, hostStep, makeProject, targets } from "./rig.js"

const delivery = [
  hostStep("catalog.unit", 'log.info("41 tests")', 'service: "catalog",'),
  hostStep(
    "tests",
    'throw fault({ code: "TESTS-RED", kind: "failed", message: "1 of 2 tests is red" })',
    "after: [catalog_unit],",
  ),
  targets("tests"),
].join("\n")

const path = ".gantry/ci/feedback/summary.json"
const baseline = summary([step("catalog.image", [image(10)]), step("catalog.trivy", [findings(["CVE-1"])])])

async function pipeline() {
  const project = await makeProject(config({ delivery }))
  const commit = project.git("rev-parse", "HEAD")
  const gitlab = await fakeGitLab({
    mergeRequests: [mergeRequest({ commits: [commit] })],
    pipelines: [{ id: 70, ref: "main", sha: commit, status: "success" }],
    jobs: [job({ id: 700, name: "feedback", pipeline: 70, files: { [path]: JSON.stringify(baseline) } })],
  })
  const env = (more: Record<string, string> = {}) => ({
    CI: "true",
    GITLAB_CI: "true",
    CI_PIPELINE_ID: "77",
    CI_PIPELINE_URL: "https://gitlab.example/p/77",
    CI_JOB_ID: "1",
    CI_COMMIT_SHA: commit,
    CI_COMMIT_REF_NAME: "change",
    CI_MERGE_REQUEST_IID: "7",
    CI_MERGE_REQUEST_TARGET_BRANCH_NAME: "main",
    CI_PIPELINE_SOURCE: "merge_request_event",
    CI_SERVER_URL: gitlab.url,
    CI_PROJECT_ID: "42",
    GITLAB_TOKEN: "glpat-right",
    ...more,
  })
  /** A clone for each job, as runners make them, with what is brought along. */
  const clone = async (from?: string) => {
    const dir = await mkdtemp(join(tmpdir(), "gantry-feedback-"))
    onTestFinished(() => rm(dir, { recursive: true, force: true, maxRetries: 3 }))
    await cp(project.dir, dir, { recursive: true, filter: (name) => !name.includes(".gantry") })
    if (from !== undefined) await cp(join(from, ".gantry"), join(dir, ".gantry"), { recursive: true })
    return dir
  }
  const gantry = (dir: string, args: string[], more?: Record<string, string>) =>
    project.start(["-C", dir, ...args], env(more)).ended
  return { project, gitlab, clone, gantry, commit }
}

it("the last job tells on the merge request what the others did, once, and keeps it up to date", async () => {
  const { gitlab, clone, gantry, commit } = await pipeline()
  const first = await clone()
  expect((await gantry(first, ["job", "catalog.unit", "--pipeline", "delivery"])).code).toBe(0)
  const second = await clone(first)
  expect((await gantry(second, ["job", "tests", "--pipeline", "delivery"])).code).toBe(1)
  expect(gitlab.world.statuses).toMatchObject([
    { sha: commit, name: "gantry/catalog.unit", state: "success", pipeline: 77 },
    { name: "gantry/tests", state: "failed", description: "1 of 2 tests is red" },
  ])

  const last = await clone(second)
  const told = await gantry(last, ["feedback", "--pipeline", "delivery"])
  expect(told).toMatchObject({ code: 0, stdout: "" })
  expect(told.stderr).toContain(`Comment written: ${gitlab.url}/heike/shop/-/merge_requests/7#note_900`)
  const [note] = gitlab.world.mergeRequests[0]?.notes ?? []
  expect(note?.body).toMatch(/^<!-- gantry:delivery -->\n### `delivery` ✖ failed/)
  expect(note?.body).toContain("- **`tests`** failed: `1 of 2 tests is red`")

  const read = async (name: string) => readFile(join(last, ".gantry/ci/feedback", name), "utf8")
  const whole = JobSummary.parse(JSON.parse(await read("summary.json")))
  expect(whole.steps.map((s) => [s.id, s.status])).toEqual([["catalog.unit", "success"], ["tests", "failed"]]) // prettier-ignore
  const record = RunRecord.parse(JSON.parse(await read("run.json")))
  expect(record).toMatchObject({ id: "gitlab-77", status: "failed", commit })
  expect(record.steps.map((s) => [s.id, s.status])).toEqual([["catalog.unit", "success"], ["tests", "failed"]]) // prettier-ignore
  expect(await read("report.html")).toContain("<!doctype html>")

  const again = await gantry(last, ["feedback", "--pipeline", "delivery"])
  expect(again.stderr).toContain("Comment updated")
  expect(gitlab.world.mergeRequests[0]?.notes).toHaveLength(1)
})

it("a code host that is away fails neither a job nor the feedback", async () => {
  const { gitlab, clone, gantry } = await pipeline()
  gitlab.mishaps.push({ path: /./, status: 503, times: 99 })
  const first = await clone()
  const done = await gantry(first, ["job", "catalog.unit", "--pipeline", "delivery"])
  expect(done.code).toBe(0)
  expect(done.stderr).toContain("warning: commit statuses are not set: GitLab at")
  const told = await gantry(await clone(first), ["feedback", "--pipeline", "delivery"])
  expect(told.code).toBe(0)
  expect(told.stderr).toContain("warning: nothing is compared with main")
  expect(told.stderr).toContain("warning: the comment was not written")
})

it("without a token nothing is tried for a job's statuses, and the comment says why it is missing", async () => {
  const { gitlab, clone, gantry } = await pipeline()
  const first = await clone()
  const done = await gantry(first, ["job", "catalog.unit", "--pipeline", "delivery"], { GITLAB_TOKEN: "" })
  expect(done.stderr).not.toContain("warning")
  const told = await gantry(await clone(first), ["feedback", "--pipeline", "delivery"], { GITLAB_TOKEN: "" })
  expect(told.code).toBe(0)
  expect(told.stderr).toContain("GITLAB_TOKEN is not set")
  expect(gitlab.requests).toEqual([])
})

it("prints instead, leaves out what is unreadable or another run's, and is for CI alone", async () => {
  const { clone, gantry, gitlab, project } = await pipeline()
  const dir = await clone()
  const put = async (name: string, text: string) => {
    const file = join(dir, ".gantry/ci", name, "summary.json")
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  }
  expect((await gantry(dir, ["feedback", "--pipeline", "delivery"])).stderr).toContain("there is nothing to tell")
  await put("a", JSON.stringify(summary([step("catalog.unit"), step("catalog.trivy", [findings(["CVE-1", "CVE-2"])])])))
  await put("b", "{")
  await put("c", JSON.stringify(summary([step("tests")], { run: "gitlab-1", status: "errored" })))
  const told = await gantry(dir, ["feedback", "--pipeline", "delivery", "--print"])
  expect(told.code).toBe(0)
  expect(told.stderr).toContain("warning: b: ")
  expect(told.stdout).toContain("### `delivery` ✔ passed")
  expect(told.stdout).toContain("1 finding that `main` does not have")
  expect(told.stdout).toContain("`CVE-2`")
  expect(gitlab.world.mergeRequests[0]?.notes).toEqual([])
  expect(await project.gantry("feedback", "--pipeline", "delivery")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("JOB-RUN") as string,
  })
})
