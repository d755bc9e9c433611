import { describe, expect, it } from "vitest"
import { flowOf } from "../../../ci/flow.js"
import { branch } from "../../../core/condition.js"
import { allowFailure } from "../../../core/decorators.js"
import { pipeline } from "../../../core/pipeline.js"
import { step, type AnyStep } from "../../../core/step.js"
import { delivery } from "../../../pipelines/delivery.js"
import { settingsOf, tests } from "./settings.js"

const settings = settingsOf({ catalog: { tests, sonar: {} }, order: { tests, calls: ["catalog"] } })
const flow = flowOf(delivery(settings), settings)
const job = (name: string) => flow.jobs.find((j) => j.name === name)
const plain = (
  id: string,
  more: { after?: readonly AnyStep[]; stage?: string; when?: ReturnType<typeof branch> } = {},
) => step(id, { ...more, run: async () => {} })
const needsOf = (target: AnyStep, name: string) =>
  flowOf(pipeline("p", { targets: [target] }), settings).jobs.find((j) => j.name === name)?.needs

describe("the delivery as jobs", () => {
  it("has stages that read like the flow", () => {
    expect(flow.stages).toEqual([
      "checkout", "code-review", "tests", "quality", "image", "deploy-test", "acceptance", "deploy-uat", "uat-checks",
      "approve", "rollout",
    ]) // prettier-ignore
  })
  it.each([
    ["catalog.sonarqube", ["catalog.unit-tests", "catalog.integration-tests"]],
    ["catalog.package", ["catalog.sonarqube"]],
    ["catalog.deploy-test", ["catalog.package"]],
    ["order.deploy-test", ["order.package", "catalog.deploy-test"]],
    ["gate", ["checkout", "catalog.uat-checks", "order.uat-checks"]],
    ["catalog.rollout-prod", ["gate"]],
  ])("%s names only the last of each chain: %j", (name, needs) => expect(job(name)?.needs).toEqual(needs))
  it("may be cancelled until something outside changes", () => {
    expect(flow.jobs.filter((j) => j.harmless).map((j) => j.name)).toEqual([
      "checkout", "code-review", "catalog.unit-tests", "catalog.integration-tests", "order.unit-tests", "order.integration-tests",
    ]) // prettier-ignore
  })
  it.each([
    ["first-environment", "catalog.acceptance", "catalog.deploy-uat"],
    ["checks", "catalog.package", "catalog.deploy-test"],
    ["all", "catalog.rollout-prod", undefined],
  ] as const)("merge requests go as far as %s: %s, not %s", (mergeRequests, last, first) => {
    const own = { ...settings, ci: { ...settings.ci, mergeRequests } }
    const { jobs } = flowOf(delivery(own), own)
    const there = (name: string) => jobs.find((j) => j.name === name)?.presence.mergeRequests
    expect(there(last)).toBe(true)
    if (first !== undefined) expect(there(first)).toBe(false)
  })
  it("the gate is there when any service is affected", () => {
    expect(job("gate")?.presence.services).toEqual(["catalog", "order"])
    expect(job("checkout")?.presence.services).toBeUndefined()
  })
  it("a group takes as long as its steps together", () => {
    // Image 2 × 30, scan 2 × 20, push without a timeout 60, and what is around them.
    expect(job("catalog.package")?.minutes).toBe(175)
  })
})

describe("needs", () => {
  it("stay when the one between may be left out", () => {
    const a = plain("a")
    const b = plain("b", { after: [a], when: branch("main") })
    expect(needsOf(plain("c", { after: [a, b] }), "c")).toEqual(["a", "b"])
  })
  it("go when it is left out together with one of the ends", () => {
    const a = plain("a", { when: branch("main") })
    const b = plain("b", { after: [a], when: branch("main") })
    expect(needsOf(plain("c", { after: [a, b] }), "c")).toEqual(["b"])
  })
  it("stay when the one between may fail and leave nothing", () => {
    const a = plain("a")
    const b = allowFailure(plain("b", { after: [a] }))
    expect(needsOf(plain("c", { after: [a, b] }), "c")).toEqual(["a", "b"])
  })
})

it("stages that need each other become one", () => {
  const a = plain("a", { stage: "one" })
  const b = plain("b", { stage: "two", after: [a] })
  const c = plain("c", { stage: "one", after: [b] })
  const { stages, jobs } = flowOf(pipeline("p", { targets: [plain("d", { stage: "three", after: [c] })] }), settings)
  expect(stages).toEqual(["one", "three"])
  expect(jobs.map((j) => j.stage)).toEqual(["one", "one", "one", "three"])
})
