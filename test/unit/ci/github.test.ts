import { validateWorkflow } from "@action-validator/core"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { generateGithub } from "../../../ci/github/generate.js"
import { any, branch, changes, schedule, tag } from "../../../core/condition.js"
import { pipeline } from "../../../core/pipeline.js"
import { step } from "../../../core/step.js"
import { delivery } from "../../../pipelines/delivery.js"
import { settingsOf, tests } from "./settings.js"

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly jobs: Readonly<Record<string, Record<string, unknown> & { needs?: string[]; if?: string; steps: object[] }>>
}
const migrating = { database: "mariadb", migrations: { run: "npm run migrate" } }
const shop = settingsOf(
  { catalog: { tests, sonar: {}, ...migrating }, order: { tests, calls: ["catalog"] } },
  { ci: { github: { schedule: ["0 3 * * *"], variables: { A: "b" }, secrets: ["VAULT_TOKEN"] } } },
)
const text = generateGithub(delivery(shop), shop)
const { jobs, on } = parse(text) as Workflow

describe("delivery.yml", () => {
  it("of two services", async () => {
    await expect(text).toMatchFileSnapshot(join(import.meta.dirname, "golden/delivery.github.yml"))
  })
  // The package holds the schema of SchemaStore, and checks besides that `needs` name jobs.
  it("is valid by the published schema", () => expect(validateWorkflow(text).errors).toEqual([]))
  it("the check finds what is wrong", () => {
    expect(validateWorkflow(text.replace("runs-on:", "runs-upon:")).errors).not.toEqual([])
    expect(validateWorkflow(text.replace("needs: [gate", "needs: [gone")).errors).not.toEqual([])
  })
  it("runs for pushes, pull requests, by hand and on schedule", () => {
    expect(on).toEqual({
      push: { branches: ["main"] },
      pull_request: {},
      workflow_dispatch: {},
      schedule: [{ cron: "0 3 * * *" }],
    })
  })
  it("only the gate waits for the reviewers of the environment", () => {
    expect(jobs["gate"]?.["environment"]).toEqual({ name: "prod" })
    expect(jobs["catalog_rollout-prod"]?.["environment"]).toMatchObject({ name: "prod-rollout" })
    expect(jobs["catalog_deploy-test"]?.["environment"]).toMatchObject({ name: "test" })
    expect(jobs["catalog_acceptance"]).not.toHaveProperty("environment")
  })
  it("a deployment gives way to no other service's", () => {
    expect(jobs["catalog_deploy-test"]?.["concurrency"]).toEqual({ group: "test/catalog", "cancel-in-progress": false })
  })
  it("runs only what a change affects, and never behind a red job", () => {
    expect(jobs["order_unit-tests"]?.if).toBe(
      "${{ !failure() && !cancelled() && contains(fromJSON(needs.affected.outputs.services), 'order') }}",
    )
    expect(jobs["order_unit-tests"]?.needs).toContain("affected")
    expect(jobs["gate"]?.if).toContain("!(github.event_name == 'pull_request')")
  })
  it("gives each job the rights it needs", () => {
    expect(jobs["catalog_unit-tests"]?.["permissions"]).toEqual({
      contents: "read", "pull-requests": "read", actions: "read", statuses: "write",
    }) // prettier-ignore
    expect(jobs["feedback"]?.["permissions"]).toEqual({ contents: "read", "pull-requests": "write", actions: "read" })
  })
})

it.each([
  ["branch", branch("main"), "(github.head_ref || (github.ref_type == 'branch' && github.ref_name) || '') == 'main'"],
  [
    "a pattern, by its beginning",
    branch("release/*"),
    "startsWith((github.head_ref || (github.ref_type == 'branch' && github.ref_name) || ''), 'release/')",
  ],
  ["tag", tag(), "github.ref_type == 'tag'"],
  ["any", any(tag(), schedule()), "(github.ref_type == 'tag' || github.event_name == 'schedule')"],
  ["paths, which only the job knows", changes("docs", ["docs/**"]), undefined],
])("%s as an expression", (_, when, expected) => {
  const settings = settingsOf({})
  const made = generateGithub(pipeline("p", { targets: [step("it", { when, run: async () => {} })] }), settings)
  const condition = (parse(made) as Workflow).jobs["it"]?.if
  expect(condition).toBe(`\${{ !failure() && !cancelled()${expected === undefined ? "" : ` && ${expected}`} }}`)
  expect(validateWorkflow(made).errors).toEqual([])
})
