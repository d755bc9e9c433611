import { describe, expect, it } from "vitest"
import { ProjectConfig } from "../../../config/schema.js"
import type { Pipeline } from "../../../core/pipeline.js"
import { jobsOf } from "../../../core/jobs.js"
import { predecessors, type AnyStep } from "../../../core/step.js"
import { delivery } from "../../../pipelines/delivery.js"
import { dev } from "../../../pipelines/dev.js"
import { checkout } from "../../../steps/checkout/index.js"
import { dependencies } from "../../../steps/dependencies/index.js"
import { migrate } from "../../../steps/migrate/index.js"
import { ServiceDeclaration } from "../../../steps/service.js"
import type { Settings } from "../../../steps/settings.js"

const suite = { run: "npm test", junit: ["a.xml"] }
const tests = { unit: suite, integration: suite, acceptance: suite }

function settings(services: Record<string, object>, config: object = {}): Settings {
  const { engine, environments, scan, approvers, ci } = ProjectConfig.parse({ project: "shop", ...config })
  return {
    project: "shop",
    root: "/nowhere",
    engine,
    environments,
    scan,
    approvers,
    ci,
    configRepo: undefined,
    services: Object.entries(services).map(([name, more]) => ({
      ...ServiceDeclaration.parse({ name, toolchain: { image: "node:22" }, build: {}, health: {}, ...more }),
      path: name,
    })),
  }
}
const full = { tests, sonar: {} }
const one = () => delivery(settings({ catalog: full }))

/** Every step that has to be over before this one. */
function before(pipeline: Pipeline, id: string): Set<string> {
  const found = new Set<string>()
  const visit = (step: AnyStep) => {
    for (const p of predecessors(step)) if (!found.has(p.id)) visit((found.add(p.id), p))
  }
  const step = pipeline.steps.find((s) => s.id === id)
  if (step === undefined) throw new Error(`no step ${id}: ${pipeline.steps.map((s) => s.id).join(" ")}`)
  visit(step)
  return found
}

describe("what an environment's services depend on", () => {
  const kubernetes = { dependencies: { mysql: { kind: "chart", path: "deploy/mysql" } } }
  const environments = {
    test: { kubernetes },
    uat: { kubernetes },
    prod: { kubernetes, approvals: {} },
  }
  const migrating = { ...full, database: "mariadb", migrations: { run: "migrate" } }
  const made = () => delivery(settings({ catalog: full, order: migrating }, { environments }))

  it("is no step where none is declared", () => {
    expect(one().steps.filter((s) => s.id.startsWith("dependencies-"))).toEqual([])
  })
  it.each([
    ["dependencies-test", ["catalog.push", "order.push"]],
    ["catalog.deploy-test", ["dependencies-test"]],
    ["order.migrate-test", ["dependencies-test"]],
    ["dependencies-uat", ["catalog.acceptance", "order.acceptance"]],
    ["order.migrate-uat", ["dependencies-uat"]],
    ["dependencies-prod", ["gate"]],
    ["order.migrate-prod", ["dependencies-prod"]],
    ["catalog.rollout-prod", ["dependencies-prod"]],
  ])("%s comes after %j", (id, earlier) => {
    expect([...before(made(), id)]).toEqual(expect.arrayContaining(earlier))
  })
  it("is an effect of its own, once for all services, with a job of its own", () => {
    const { steps } = made()
    const own = steps.filter((s) => s.id.startsWith("dependencies-"))
    expect(own.map((s) => [s.id, s.kind])).toEqual([
      ["dependencies-test", "effect"],
      ["dependencies-uat", "effect"],
      ["dependencies-prod", "effect"],
    ])
    expect(jobsOf(made()).filter(({ name }) => name.startsWith("dependencies-"))).toHaveLength(3)
  })
  it("comes before the work tree in DEV, too", () => {
    const pipeline = dev(settings({ order: migrating }, { environments: { ...environments, dev: { kubernetes } } }))
    expect([...before(pipeline, "order.migrate-dev")]).toContain("dependencies-dev")
    expect([...before(pipeline, "order.deploy-dev")]).toContain("dependencies-dev")
  })
  it("is not brought past the gate where people approve", () => {
    const all = settings({ catalog: full }, { environments })
    const source = checkout(all)
    expect(() => dependencies(all, "prod", { source })).toThrow(
      expect.objectContaining({ code: "DEPENDENCIES-WANT-GATE" }) as Error,
    )
  })
})

describe("a service travels the whole way", () => {
  it("with all the stages of the diagram, PROD last", () => {
    const { steps } = one()
    expect(new Set(steps.map((s) => s.id))).toEqual(
      new Set([
        "checkout", "code-review", "catalog.unit-tests", "catalog.integration-tests", "catalog.sonarqube", "catalog.image",
        "catalog.trivy", "catalog.push", "catalog.deploy-test", "catalog.acceptance", "catalog.deploy-uat",
        "catalog.uat-checks", "gate", "catalog.rollout-prod",
      ]),
    ) // prettier-ignore
    expect(steps.at(-1)?.id).toBe("catalog.rollout-prod")
  })
  it.each([
    [
      "catalog.push",
      ["catalog.trivy", "catalog.sonarqube", "catalog.unit-tests", "catalog.integration-tests", "code-review"],
    ],
    ["catalog.deploy-test", ["catalog.push"]],
    ["catalog.acceptance", ["catalog.deploy-test"]],
    ["catalog.deploy-uat", ["catalog.acceptance"]],
    ["catalog.uat-checks", ["catalog.deploy-uat"]],
    ["gate", ["catalog.uat-checks", "catalog.acceptance", "catalog.trivy", "catalog.sonarqube"]],
    ["catalog.rollout-prod", ["gate"]],
  ])("%s comes after %j", (id, earlier) => {
    expect([...before(one(), id)]).toEqual(expect.arrayContaining(earlier))
  })
  it("what is pure is pure, what acts is an effect, and one step asks a person", () => {
    const { steps } = one()
    const of = (kind: string) => steps.filter((s) => s.kind === kind).map((s) => s.id)
    expect(of("gate")).toEqual(["gate"])
    expect(of("effect")).toEqual(
      expect.arrayContaining(["catalog.push", "catalog.deploy-test", "catalog.deploy-uat", "catalog.rollout-prod"]),
    )
    expect(of("pure")).toEqual(
      expect.arrayContaining([
        "checkout",
        "catalog.image",
        "catalog.trivy",
        "catalog.unit-tests",
        "catalog.acceptance",
      ]),
    )
  })
  it("a dirty work tree gets no further than TEST", () => {
    const conditions = Object.fromEntries(one().steps.map((s) => [s.id, s.when?.kind]))
    expect(conditions).toMatchObject({ "catalog.deploy-uat": "clean", gate: "clean", "catalog.rollout-prod": "clean" })
    expect(conditions["catalog.deploy-test"]).toBeUndefined()
  })
})

it("a service that declares no tests and no sources for SonarQube has no such steps", () => {
  const ids = delivery(settings({ catalog: {} })).steps.map((s) => s.id)
  expect(ids.filter((id) => /tests|acceptance|checks|sonarqube/.test(id))).toEqual([])
  expect(ids).toEqual(expect.arrayContaining(["catalog.trivy", "gate", "catalog.rollout-prod"]))
})

describe("a service with migrations", () => {
  const migrations = { database: "mariadb", migrations: { run: "migrate" } }
  const made = () => delivery(settings({ catalog: { ...full, ...migrations }, order: { tests, calls: ["catalog"] } }))
  it.each([
    ["catalog.migrate-test", ["catalog.push"], ["catalog.deploy-test"]],
    ["catalog.migrate-uat", ["catalog.acceptance", "catalog.deploy-test"], ["catalog.deploy-uat"]],
    ["catalog.migrate-prod", ["gate"], ["catalog.rollout-prod"]],
  ])("%s comes after %j and before %j", (id, earlier, later) => {
    expect([...before(made(), id)]).toEqual(expect.arrayContaining(earlier))
    for (const step of later) expect(before(made(), step)).toContain(id)
  })
  it("the gate sees them, and only who declares them has them", () => {
    expect(before(made(), "gate")).toContain("catalog.migrate-uat")
    expect(made().steps.filter((s) => s.id.startsWith("order.migrate"))).toEqual([])
  })
  it("each shares the job of its deployment", () => {
    const jobs = new Map(jobsOf(made()).map((job) => [job.name, job.steps.map((s) => s.id)]))
    for (const [job, migration] of [
      ["deploy-test", "migrate-test"],
      ["deploy-uat", "migrate-uat"],
      ["rollout-prod", "migrate-prod"],
    ])
      expect(jobs.get(`catalog.${job}`)).toEqual([`catalog.${migration}`, `catalog.${job}`])
    expect(jobs.get("order.deploy-test")).toEqual(["order.deploy-test"])
  })
  it("PROD is not migrated without a gate", () => {
    const given = settings({ catalog: migrations })
    const [catalog] = given.services
    const wiring = { source: checkout(given), release: {} as never }
    expect(() => migrate(given, catalog as never, "prod", wiring)).toThrow(
      expect.objectContaining({ code: "MIGRATE-WANTS-GATE", kind: "usage" }),
    )
  })
})

describe("the work tree in DEV", () => {
  const given = () =>
    settings({ order: { calls: ["catalog"], database: "mariadb", migrations: { run: "m" } }, catalog: {} })
  it("is built, pushed, migrated and deployed, who is called first; nobody is asked", () => {
    const pipeline = dev(given())
    expect(pipeline.steps.map((s) => s.id)).toEqual([
      "checkout",
      "catalog.image",
      "catalog.push",
      "catalog.deploy-dev",
      "order.image",
      "order.push",
      "order.migrate-dev",
      "order.deploy-dev",
    ])
    expect(pipeline.steps.every((s) => s.when === undefined)).toBe(true)
    expect(before(pipeline, "order.deploy-dev")).toContain("catalog.deploy-dev")
  })
})

describe("several services", () => {
  const two = () => delivery(settings({ order: { ...full, calls: ["catalog"] }, catalog: full }))
  it("one gate decides about all of them", () => {
    const pipeline = two()
    expect(pipeline.steps.filter((s) => s.kind === "gate")).toHaveLength(1)
    for (const service of ["catalog", "order"]) {
      expect(before(pipeline, "gate")).toContain(`${service}.uat-checks`)
      expect(before(pipeline, `${service}.rollout-prod`)).toContain("gate")
    }
  })
  it("who is called is deployed first, in every environment", () => {
    const pipeline = two()
    for (const stage of ["deploy-test", "deploy-uat", "rollout-prod"]) {
      expect(before(pipeline, `order.${stage}`)).toContain(`catalog.${stage}`)
      expect(before(pipeline, `catalog.${stage}`)).not.toContain(`order.${stage}`)
    }
  })
  it("who calls each other in a circle is told, with the whole path", () => {
    const circle = settings({ a: { calls: ["b"] }, b: { calls: ["c"] }, c: { calls: ["a"] } })
    expect(() => delivery(circle)).toThrow("Services call each other in a circle: a → b → c → a")
  })
})

describe("what the configuration lacks shows while the pipeline is made", () => {
  it.each([
    ["no service", settings({}), "DELIVERY-NO-SERVICE", /no service/],
    ["no uat", settings({ a: {} }, { environments: { test: {}, prod: {} } }), "ENVIRONMENT-UNKNOWN", /"uat"/],
    ["prod misspelt", settings({ a: {} }, { environments: { test: {}, uat: {}, prd: {} } }), "ENVIRONMENT-UNKNOWN", /"prod"/],
    ["a gate at TEST", settings({ a: {} }, { environments: { test: { approvals: {} }, uat: {}, prod: {} } }), "DEPLOY-WANTS-GATE", /test demands approvals/],
    ["a gate at UAT", settings({ a: {} }, { environments: { test: {}, uat: { approvals: {} }, prod: {} } }), "DEPLOY-WANTS-GATE", /uat demands approvals/],
  ])("%s", (_, given, code, message) => {
    expect(() => delivery(given)).toThrow(expect.objectContaining({ code, kind: "usage", message: expect.stringMatching(message) as string }))
  }) // prettier-ignore
  it("PROD behind a gate also when it demands nothing", () => {
    const pipeline = delivery(settings({ a: {} }, { environments: { test: {}, uat: {}, prod: {} } }))
    expect(before(pipeline, "a.rollout-prod")).toContain("gate")
  })
})
