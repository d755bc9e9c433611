import { expect, it } from "vitest"
import { describeEvidence } from "../../../../steps/gate/describe.js"

const evidence = {
  run: "run-1",
  gate: "gate",
  environment: "prod",
  commit: "c0ffee".padEnd(40, "0"),
  tree: "t",
  authors: [{ name: "Zhao", email: "z@x.example" }],
  demands: { required: 1, roles: [], expiresAfterHours: 24 },
}
const service = {
  service: "catalog",
  digest: `sha256:${"ab".repeat(32)}`,
  scan: { counts: { CRITICAL: 0, HIGH: 2, LOW: 1 }, exceptions: 2 },
  quality: { status: "passed" },
  tests: [
    { suite: "catalog.unit", total: 10, failed: 0 },
    { suite: "catalog.acceptance", total: 4, failed: 1 },
  ],
  deployments: [{ environment: "test" }, { environment: "uat" }],
}

it("says in a line for each service what is decided about", () => {
  expect(describeEvidence({ ...evidence, services: [service] })).toEqual([
    "To prod: commit c0ffee000000 of Zhao <z@x.example>",
    "catalog sha256:abababababab · 14 tests, 1 failed · quality gate passed · 2 HIGH 1 LOW · 2 accepted by exception · runs in test, uat",
  ])
})
it("says which cluster it goes to, where it does", () => {
  const first = (kubernetes: object | undefined) =>
    describeEvidence({ ...evidence, rollout: { target: "any", kubernetes }, services: [service] } as never)[0]
  expect(first({ namespace: "shop-prod", context: "production" })).toMatch(
    /^To prod \(namespace shop-prod of context production\): commit c0ffee/,
  )
  const second = describeEvidence({
    ...evidence,
    rollout: { kubernetes: { namespace: "shop-prod", dependencies: { mysql: {}, cache: {} } } },
    services: [service],
  } as never)[1]
  expect(second).toBe("before them: mysql, cache, as this commit declares them")
  expect(first({ namespace: "shop-prod" })).toMatch(/^To prod \(namespace shop-prod\): commit/)
  expect(first(undefined)).toMatch(/^To prod: commit/)
})
it("says that there is no way back, where there is none", () => {
  const described = (migration: object) =>
    describeEvidence({ ...evidence, services: [{ ...service, migration }] as never })
  expect(described({ run: "x", compatible: false })).toEqual([
    expect.any(String),
    expect.not.stringContaining("backwards"),
    "THERE IS NO WAY BACK for catalog: its migration is not backwards compatible",
  ])
  expect(described({ run: "x", compatible: true })[1]).toContain("migrates its database, backwards compatible")
})
it("does not make anything up", () => {
  const bare = { ...service, scan: null, quality: null, tests: [], deployments: [] }
  expect(describeEvidence({ ...evidence, services: [bare] })[1]).toBe(
    "catalog sha256:abababababab · no tests · no quality gate · not scanned · runs in no environment yet",
  )
  expect(describeEvidence({ ...evidence, services: [{ odd: true }] })).toHaveLength(1)
})
