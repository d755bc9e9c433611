import { mkdtemp, readFile, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { generateGitlab } from "../../ci/gitlab/generate.js"
import { delivery } from "../../pipelines/delivery.js"
import { settingsOf, tests } from "../unit/ci/settings.js"
import { makeRepository, runGitlabCiLocal } from "./gitlab-ci-local.js"

let dir: string
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), "gantry-ci-"))))
afterAll(() => rm(dir, { recursive: true, force: true }))

const own = await readFile(join(import.meta.dirname, "../../.gitlab-ci.yml"), "utf8")
const jobs = (output: string) => output.split("\n").flatMap((line) => /^([a-z][\w.-]*) {2,}/.exec(line)?.[1] ?? [])

describe("gitlab-ci-local, which checks against GitLab's schema, takes", () => {
  it("this repository's own file", async () => {
    const { work } = await makeRepository(join(dir, "own"), { ".gitlab-ci.yml": own })
    const { code, output } = await runGitlabCiLocal(work, ["--list", "--no-evaluate-rule-changes"])
    expect(output).toContain("json schema validated")
    expect(code).toBe(0)
    expect(jobs(output)).toEqual(
      expect.arrayContaining([
        "checkout",
        "catalog.package",
        "order.deploy-uat",
        "gate",
        "catalog.rollout-prod",
        "feedback",
      ]),
    )
    expect(output).toMatch(/^gate +approve +manual +false +prod /m)
    // No merge request, no code review.
    expect(jobs(output)).not.toContain("code-review")
  })
  it("only the jobs of the service that a change affects", async () => {
    const { work, commit } = await makeRepository(join(dir, "affected"), { ".gitlab-ci.yml": own })
    await commit({ "examples/shop/catalog/src/main.js": "//\n", "README.md": "# Shop\n" })
    const { output } = await runGitlabCiLocal(work, ["--list"])
    expect(jobs(output)).toEqual(expect.arrayContaining(["catalog.unit-tests", "gate", "catalog.rollout-prod"]))
    expect(jobs(output).filter((name) => name.startsWith("order."))).toEqual([])
  })
  it("all jobs for a change of what they share, none for documentation", async () => {
    const { work, commit } = await makeRepository(join(dir, "shared"), { ".gitlab-ci.yml": own })
    await commit({ "docs/page.md": "# Page\n" })
    expect(jobs((await runGitlabCiLocal(work, ["--list"])).output)).toEqual(
      expect.not.arrayContaining(["catalog.unit-tests", "gate"]),
    )
    await commit({ "core/step.ts": "//\n" })
    expect(jobs((await runGitlabCiLocal(work, ["--list"])).output)).toEqual(
      expect.arrayContaining(["catalog.unit-tests", "order.unit-tests"]),
    )
  })
  it("a hundred services in files of their own", async () => {
    const names = Array.from(
      { length: 100 },
      (_, i) => [`s${i}`, { path: `services/s${i}`, tests, sonar: {} }] as const,
    )
    const settings = settingsOf(Object.fromEntries(names))
    const files = generateGitlab(delivery(settings), settings, { files: ["package.json"], mostBytes: 1 })
    expect(files).toHaveLength(101)
    const { work } = await makeRepository(
      join(dir, "many"),
      Object.fromEntries(files.map(({ path, text }) => [path, text])),
    )
    const { code, output } = await runGitlabCiLocal(work, ["--list", "--no-evaluate-rule-changes"])
    expect(code, output.slice(-2000)).toBe(0)
    expect(jobs(output)).toEqual(expect.arrayContaining(["s0.package", "s99.rollout-prod", "gate.needs-3", "gate"]))
  })
})

it("it refuses what the schema does not allow, and needs that are not there", async () => {
  const broken = await makeRepository(join(dir, "schema"), {
    ".gitlab-ci.yml": own.replace("action: prepare", "action: open"),
  })
  expect((await runGitlabCiLocal(broken.work, ["--list", "--no-evaluate-rule-changes"])).code).not.toBe(0)
  const gone = await makeRepository(join(dir, "needs"), { ".gitlab-ci.yml": own.replace("{job: gate,", "{job: gone,") })
  expect((await runGitlabCiLocal(gone.work, ["--list", "--no-evaluate-rule-changes"])).code).not.toBe(0)
})
