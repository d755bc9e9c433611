import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { originOf } from "../../../ci/generated.js"
import { generateGitlab } from "../../../ci/gitlab/generate.js"
import { branch, tag } from "../../../core/condition.js"
import { isFault } from "../../../core/errors.js"
import { pipeline } from "../../../core/pipeline.js"
import { step } from "../../../core/step.js"
import { delivery } from "../../../pipelines/delivery.js"
import { settingsOf, tests } from "./settings.js"

type Job = Readonly<Record<string, unknown>> & { readonly needs?: readonly { job: string; optional?: boolean }[] }
type Parsed = Readonly<Record<string, Job>>
const reference = {
  tag: "!reference",
  collection: "seq" as const,
  resolve: (seq: { toJSON(): unknown }) => seq.toJSON(),
}
const read = (text: string) => parse(text, { customTags: [reference as never] }) as Parsed
const migrating = { database: "mariadb", migrations: { run: "npm run migrate" } }
const shop = settingsOf({ catalog: { tests, sonar: {}, ...migrating }, order: { tests, calls: ["catalog"] } })
const files = ["package.json", "catalog/a.js", "order/b.js", "README.md", "tools/x.ts"]
const made = generateGitlab(delivery(shop), shop, { files })
const yaml = read(made[0]?.text ?? "")
const stages = yaml["stages"] as unknown as readonly string[]

const services = (count: number) =>
  settingsOf(
    Object.fromEntries(
      Array.from({ length: count }, (_, i) => [`s${i}`, { path: `services/s${i}`, tests, sonar: {} }]),
    ),
  )

describe(".gitlab-ci.yml", () => {
  it("of a small pipeline", async () => {
    const tests = step("tests", { stage: "tests", publishes: ["tests"], timeout: 60_000, run: async () => {} })
    const publish = step("publish", {
      stage: "publish",
      after: [tests],
      when: branch("main"),
      environment: "test",
      effect: { key: () => "k", retry: { attempts: 2 }, reconcile: "repeat" },
      run: async () => {},
    })
    const [file] = generateGitlab(pipeline("small", { targets: [publish] }), settingsOf({}), { files: undefined })
    await expect(file?.text).toMatchFileSnapshot(join(import.meta.dirname, "golden/small.gitlab-ci.yml"))
  })
  it("of the delivery of two services", async () => {
    expect(made).toHaveLength(1)
    await expect(made[0]?.text).toMatchFileSnapshot(join(import.meta.dirname, "golden/delivery.gitlab-ci.yml"))
  })
  it("tells a file as it was made from one that was edited", () => {
    const text = made[0]?.text ?? ""
    expect(originOf(text)).toBe("ours")
    expect(originOf(text.replace(/\n/g, "\r\n"))).toBe("ours")
    expect(originOf(text.replace("GIT_DEPTH", "GIT_DEEP"))).toBe("edited")
    expect(originOf(text.replace(/^# sha256.*\n/m, ""))).toBe("edited")
    expect(originOf("stages: [build]\n")).toBe("foreign")
  })
  it("every job says whether it may fail, and where it goes", () => {
    for (const [name, job] of Object.entries(yaml)) {
      if (!("script" in job) || name.startsWith(".")) continue
      expect(job, name).toMatchObject({
        allow_failure: expect.any(Boolean),
        stage: expect.any(String),
        timeout: expect.any(String),
      })
      expect(stages, name).toContain(job["stage"])
    }
  })
  it("no job needs one of a later stage", () => {
    const stage = (name: string) => stages.indexOf(String(yaml[name]?.["stage"]))
    for (const [name, job] of Object.entries(yaml)) {
      for (const need of job.needs ?? [])
        expect(stage(need.job), `${name} needs ${need.job}`).toBeLessThanOrEqual(stage(name))
    }
  })
  it("the gate waits for a person, blocks, is no deployment and asks who may deploy", () => {
    expect(yaml["gate"]).toMatchObject({
      environment: { name: "prod", action: "prepare", deployment_tier: "production" },
      allow_failure: false,
    })
    expect(yaml["gate"]?.["rules"]).toContainEqual({
      changes: [".shared", "paths"],
      when: "manual",
      allow_failure: false,
    })
    expect(yaml["gate"]).not.toHaveProperty("resource_group")
  })
  it("the gate may have an environment of its own", () => {
    const own = settingsOf({ catalog: {} }, { ci: { gitlab: { gateEnvironment: "prod-gate" } } })
    const all = read(generateGitlab(delivery(own), own, { files: undefined })[0]?.text ?? "")
    expect(all["gate"]).toMatchObject({ environment: { name: "prod-gate", action: "prepare" } })
    expect(all["catalog.rollout-prod"]).toMatchObject({ environment: { name: "prod" } })
  })
  it("production has no job that takes it down, TEST and UAT have", () => {
    expect(Object.keys(yaml).filter((name) => name.startsWith("stop-"))).toEqual(["stop-test", "stop-uat"])
    expect(yaml["catalog.rollout-prod"]?.["environment"]).not.toHaveProperty("on_stop")
  })
  it("tags have no pipeline of their own unless a condition asks for one", () => {
    const rule = { if: "$CI_COMMIT_TAG", when: "never" }
    expect(yaml["workflow"]?.["rules"]).toContainEqual(rule)
    const release = step("release", { when: tag(), run: async () => {} })
    const settings = settingsOf({})
    const [file] = generateGitlab(pipeline("p", { targets: [release] }), settings, { files: undefined })
    expect(read(file?.text ?? "")["workflow"]?.["rules"]).toContainEqual({ if: "$CI_COMMIT_TAG" })
  })
  it.each(["image", "feedback", "pages"])("a step cannot be called %s", (id) => {
    const settings = settingsOf({})
    const make = () =>
      generateGitlab(pipeline("p", { targets: [step(id, { run: async () => {} })] }), settings, { files: undefined })
    expect(make).toThrowError(expect.toSatisfy((e: unknown) => isFault(e) && e.code === "GENERATE-NAME") as never)
  })
})

describe("a hundred services", () => {
  const settings = services(100)
  const flow = delivery(settings)
  const tracked = ["package.json", ...settings.services.map((s) => `${s.path}/index.js`)]

  it("no job has more needs than GitLab takes, and the gate still gets all", () => {
    const [file] = generateGitlab(flow, settings, { files: tracked, mostBytes: Infinity })
    const all = read(file?.text ?? "")
    const reached = new Set<string>()
    const visit = (name: string) => {
      for (const { job } of all[name]?.needs ?? []) if (!reached.has(job)) visit((reached.add(job), job))
    }
    visit("gate")
    for (const [name, job] of Object.entries(all)) expect(job.needs?.length ?? 0, name).toBeLessThanOrEqual(50)
    for (const { name } of settings.services) expect(reached).toContain(`${name}.uat-checks`)
    expect(all["gate"]?.needs?.map((n) => n.job)).toEqual(["gate.needs-1", "gate.needs-2", "gate.needs-3"])
  })
  it("become files of their own in the same pipeline when one would be too large", () => {
    const [main, ...rest] = generateGitlab(flow, settings, { files: tracked, mostBytes: 100_000 })
    expect(rest).toHaveLength(100)
    const include = (read(main?.text ?? "") as unknown as { include: { local: string }[] }).include
    expect(include.map((i) => i.local)).toEqual(rest.map((f) => f.path))
    for (const file of [...rest, main]) expect(Buffer.byteLength(file?.text ?? "")).toBeLessThan(1_000_000)
    const whole = rest.map((f) => Object.keys(read(f.text))).flat()
    expect(whole).toContain("s42.deploy-test")
    expect(Object.keys(read(main?.text ?? ""))).toContain("gate")
  })
  it("share files where there would be too many", () => {
    const many = services(230)
    const made = generateGitlab(delivery(many), many, { files: undefined, mostBytes: 1 })
    expect(made.length).toBeLessThanOrEqual(101)
  })
})
