import type { ErrorRecord } from "../../../core/errors.js"
import type { RunEvent, Stamped, StepFinished, StepNode } from "../../../core/events.js"
import { RunRecord } from "../../../core/record.js"
import { applyEvent, emptyState } from "../../../core/fold.js"
import type { Report } from "../../../core/reports.js"

/** A realistic run of the shop's delivery, as events. What is not told goes well. */
export type Scenario = "success" | "failed" | "errored" | "waiting" | "cancelled"

const begin = Date.parse("2026-11-23T08:05:12.000Z")
const sha = (seed: string) => `sha256:${seed.repeat(64).slice(0, 64)}`
const commit = "4f2a9c17d8e05b6391c3a7e2f10d54b8a96c0e3d"
const registry = "127.0.0.1:5000/shop"
const services = ["catalog", "order"] as const
type ServiceName = (typeof services)[number]
const digests: Readonly<Record<ServiceName, string>> = { catalog: sha("c0ffee42"), order: sha("0b5e55ed") }

function nodes(): StepNode[] {
  const of = (service: ServiceName): StepNode[] => {
    const n = (
      name: string,
      kind: StepNode["kind"],
      stage: string,
      needs: string[],
      environment?: string,
    ): StepNode => ({
      id: `${service}.${name}`,
      kind,
      stage,
      service,
      needs: needs.map((need) => (need === "checkout" ? need : `${service}.${need}`)),
      ...(environment === undefined ? {} : { environment }),
    })
    return [
      n("review", "pure", "review", ["checkout"]),
      n("unit-tests", "pure", "test", ["checkout"]),
      n("integration-tests", "pure", "test", ["checkout"]),
      n("quality", "effect", "quality", ["unit-tests", "integration-tests"]),
      n("image", "pure", "build", ["checkout"]),
      n("scan", "pure", "scan", ["image"]),
      n("push", "effect", "push", ["image", "scan", "quality", "review"]),
      n("deploy-test", "effect", "deploy", ["push"], "test"),
      n("acceptance", "pure", "accept", ["deploy-test"], "test"),
      n("deploy-uat", "effect", "deploy", ["push", "acceptance"], "uat"),
      n("uat-checks", "pure", "accept", ["deploy-uat"], "uat"),
    ]
  }
  return [
    { id: "checkout", kind: "pure", stage: "source", needs: [] },
    ...services.flatMap(of),
    { id: "gate", kind: "gate", stage: "gate", needs: ["catalog.uat-checks", "order.uat-checks"] },
    ...services.map((service): StepNode => ({
      id: `${service}.rollout`,
      kind: "effect",
      stage: "rollout",
      service,
      environment: "prod",
      needs: ["gate", `${service}.push`],
    })),
  ]
}

const ports: Readonly<Record<string, number>> = { test: 18080, uat: 18180, prod: 18280 }

/** Text that somebody who can name a test or file an advisory would send to whoever reads the report. */
export const hostile = `<script>alert("x")</script><img src=x onerror=alert(1)>\u001b[2J\u202e"'&amp;]]>\u0000`

export function sampleEvents(scenario: Scenario, options: { readonly hostile?: boolean } = {}): Stamped<RunEvent>[] {
  const events: Stamped<RunEvent>[] = []
  const nasty = options.hostile === true ? hostile : ""
  const at = (second: number) => new Date(begin + Math.round(second * 1000)).toISOString()
  const emit = (second: number, event: RunEvent) => events.push({ at: at(second), ...event })
  const log = (second: number, step: string, ...lines: string[]) => {
    for (const [i, line] of lines.entries()) emit(second + i / 10, { type: "step-logged", step, line: line + nasty })
  }
  const start = (second: number, step: string, effect?: string) => {
    emit(second, { type: "step-started", step, attempt: 1 })
    if (effect !== undefined) emit(second, { type: "effect-started", step, key: effect })
  }
  const end = (second: number, step: string, rest: Partial<StepFinished> = {}) =>
    emit(second, { type: "step-finished", step, status: "success", cached: false, ...rest })
  const report = (second: number, step: string, r: Report) => emit(second, { type: "step-reported", step, report: r })
  const keep = (second: number, step: string, name: string, size: number) =>
    emit(second, {
      type: "artifact-kept",
      step,
      artifact: { path: `artifacts/${step}/${name}`, sha256: sha("a1b2c3d4").slice(7), size },
    })
  const deployed = (service: ServiceName, environment: string): Report => ({
    kind: "deployment",
    environment,
    service,
    digest: digests[service],
    url: `http://127.0.0.1:${(ports[environment] ?? 0) + services.indexOf(service)}`,
    replicas: environment === "prod" ? 3 : 1,
    configHash: "9d3e1f0a77",
    previous: sha("deadbeef"),
    unchanged: false,
  })

  emit(0, {
    type: "run-started",
    run: "20261123-080512-7f3a",
    pipeline: "delivery",
    services,
    commit,
    dirty: false,
    selection: {},
    facts: { branch: "main" },
    steps: nodes(),
  })
  start(0.1, "checkout")
  log(0.4, "checkout", "tree 8b1f03d2 of commit 4f2a9c17 by 韩梅梅", "2 of 2 services changed")
  end(1.3, "checkout", {
    output: {
      commit,
      tree: "8b1f03d2c4",
      dirty: false,
      author: { name: "韩梅梅", email: "han.meimei@example.com" },
      date: "2026-11-23T15:58:40+08:00",
      subject: `catalog: 按销量排序商品列表 (sort products by sales)${nasty}`,
      branch: "main",
      changed: ["examples/shop/catalog/src/list.ts"],
      services: {},
    },
  })
  for (const service of services) {
    emit(1.3, {
      type: "step-finished",
      step: `${service}.review`,
      status: "skipped",
      cached: false,
      reason: "there is no merge request for this commit",
    })
  }

  // order: nothing changed in it, all of its pure steps come from the cache.
  const cached = { cached: true, reason: "same inputs as in run 20261122-171033-c01d" }
  const orderTests = (suite: string, total: number): Report => ({
    kind: "tests",
    suite,
    total,
    passed: total,
    failed: 0,
    skipped: 0,
    seconds: 14.2,
    failures: [],
    coverage: 81,
  })
  report(1.5, "order.unit-tests", orderTests("unit", 63))
  end(1.5, "order.unit-tests", cached)
  report(1.6, "order.integration-tests", orderTests("integration", 12))
  end(1.6, "order.integration-tests", cached)
  report(1.6, "order.image", {
    kind: "image",
    reference: "order",
    digest: digests.order,
    size: 143_882_119,
  })
  end(1.6, "order.image", cached)

  start(1.4, "catalog.unit-tests")
  start(1.4, "catalog.integration-tests")
  start(1.7, "catalog.image")
  log(
    2,
    "catalog.unit-tests",
    "> catalog@1.4.0 test",
    "> vitest run --reporter=junit",
    " ✓ src/list.test.ts (14 tests) 83ms",
  )
  log(3, "catalog.image", "#7 [build 3/5] RUN npm ci --omit=dev", "#7 4.812 added 97 packages in 4s")
  log(4, "catalog.integration-tests", "mariadb: ready for connections", " ✓ test/catalog.int.test.ts (9 tests) 2114ms")

  if (scenario === "cancelled") {
    const error: ErrorRecord = { code: "CANCELLED", kind: "cancelled", message: "Cancelled" }
    for (const step of ["unit-tests", "integration-tests", "image"])
      end(6.2, `catalog.${step}`, { status: "cancelled", error })
    for (const n of nodes()) {
      if (!events.some((e) => e.type === "step-finished" && e.step === n.id)) {
        end(6.3, n.id, { status: "skipped", reason: "not run: catalog.unit-tests was cancelled" })
      }
    }
    emit(6.4, { type: "run-finished", status: "cancelled" })
    return events
  }

  const red = scenario === "failed"
  const failures = red
    ? [
        {
          name: `list sorts by sales, then by name${nasty}`,
          message: `AssertionError: expected [ '茶杯', '钢笔' ] to deeply equal [ '钢笔', '茶杯' ]${nasty}`,
          details: `    at src/list.test.ts:48:21\n- Expected\n+ Received\n\n  Array [\n-   "钢笔",\n    "茶杯",\n+   "钢笔",\n  ]${nasty}`,
        },
        {
          name: "list answers 400 to a page below 1",
          message: "AssertionError: expected 200 to be 400",
          details: "    at src/list.test.ts:71:9",
        },
      ]
    : []
  report(11, "catalog.unit-tests", {
    kind: "tests",
    suite: "unit",
    total: 42,
    passed: 41 - failures.length,
    failed: failures.length,
    skipped: 1,
    seconds: 3.21,
    failures,
    coverage: 87.42,
  })
  keep(11, "catalog.unit-tests", "junit/unit.xml", 18_233)
  keep(11, "catalog.unit-tests", "coverage/lcov.info", 40_122)
  if (red) {
    log(
      11.1,
      "catalog.unit-tests",
      " ✗ src/list.test.ts > list sorts by sales, then by name",
      "Test Files  1 failed | 6 passed (7)",
    )
    end(11.4, "catalog.unit-tests", {
      status: "failed",
      error: {
        code: "TESTS-RED",
        kind: "failed",
        message: `2 of 42 unit tests of catalog are red${nasty}`,
        reason: `list sorts by sales, then by name: expected [ '茶杯', '钢笔' ] to deeply equal [ '钢笔', '茶杯' ]${nasty}`,
        hint: "`npm test` in examples/shop/catalog runs the same tests.",
      },
    })
  } else end(11.4, "catalog.unit-tests")

  report(24, "catalog.integration-tests", {
    kind: "tests",
    suite: "integration",
    total: 9,
    passed: 9,
    failed: 0,
    skipped: 0,
    seconds: 2.11,
    failures: [],
  })
  keep(24, "catalog.integration-tests", "junit/integration.xml", 4_120)
  end(24.2, "catalog.integration-tests")
  report(36, "catalog.image", { kind: "image", reference: "catalog", digest: digests.catalog, size: 58_310_442 })
  keep(36, "catalog.image", "catalog.oci.tar", 58_420_224)
  end(36.4, "catalog.image")

  const findings: Report = {
    kind: "findings",
    tool: "Trivy",
    basis: "vulnerability database of 2026-11-20 (3 days old)",
    counts: { CRITICAL: red ? 1 : 0, HIGH: 2, MEDIUM: 7, LOW: 12 },
    items: [
      ...(red
        ? [
            {
              id: "CVE-2021-23337",
              severity: "CRITICAL",
              title: `lodash: command injection via template${nasty}`,
              location: "node_modules/lodash 4.17.15",
              fix: "4.17.21",
              blocking: true,
            },
          ]
        : []),
      {
        id: "CVE-2024-21538",
        severity: "HIGH",
        title: "cross-spawn: regular expression denial of service",
        location: "node_modules/cross-spawn 7.0.3",
        fix: "7.0.5",
        blocking: false,
        exception: "李雷 until 2026-12-31: build time only, not in the running image",
      },
      {
        id: "CVE-2023-45853",
        severity: "HIGH",
        title: "zlib: integer overflow in zipOpenNewFileInZip4_6",
        location: "zlib1g 1:1.2.13 (Debian 12)",
        blocking: false,
        exception: "李雷 until 2027-01-31: minizip is not shipped",
      },
      {
        id: "CVE-2025-30258",
        severity: "MEDIUM",
        title: "gnupg: verification denial of service",
        location: "gpgv 2.2.40-1.1",
        blocking: false,
      },
    ],
  }
  start(36.5, "catalog.scan")
  log(37, "catalog.scan", "Detected OS: debian 12", "Number of language-specific files: 1")
  report(41, "catalog.scan", findings)
  keep(41, "catalog.scan", "trivy.json", 183_400)
  keep(41, "catalog.scan", "trivy.sarif", 99_212)
  keep(41, "catalog.scan", "sbom.cdx.json", 71_004)
  report(36, "order.scan", { ...findings, counts: { LOW: 4 }, items: [] })
  end(36, "order.scan", cached)
  start(24.3, "order.quality", "sonar:order:0b5e55ed")
  report(44, "order.quality", {
    kind: "quality-gate",
    status: "passed",
    url: "http://127.0.0.1:9000/dashboard?id=shop%3Aorder",
    conditions: [{ metric: "new_coverage", status: "passed", actual: "84.1", threshold: "80", comparator: "LT" }],
  })
  end(44.1, "order.quality")

  if (red) {
    end(41.3, "catalog.scan", {
      status: "failed",
      error: {
        code: "SCAN-BLOCKED",
        kind: "failed",
        message: "1 finding in catalog's image breaks the policy",
        reason: "CVE-2021-23337 (CRITICAL) in node_modules/lodash 4.17.15; fixed in 4.17.21.",
        hint: "Update lodash to 4.17.21, or add an exception with owner, reason and expiry to .ci/exceptions.yaml.",
      },
    })
    end(41.4, "catalog.quality", { status: "skipped", reason: "not run: catalog.unit-tests failed" })
    for (const name of ["push", "deploy-test", "acceptance", "deploy-uat", "uat-checks"]) {
      end(41.4, `catalog.${name}`, { status: "skipped", reason: "not run: catalog.scan failed" })
    }
    start(44.2, "order.push", `push:${digests.order}`)
    report(46, "order.push", {
      kind: "image",
      reference: `${registry}/order@${digests.order}`,
      digest: digests.order,
      size: 143_882_119,
    })
    end(46.1, "order.push")
    start(46.2, "order.deploy-test", `deploy:test:order:${digests.order}`)
    report(61, "order.deploy-test", deployed("order", "test"))
    end(61.2, "order.deploy-test")
    for (const [i, name] of ["acceptance", "deploy-uat", "uat-checks"].entries()) {
      start(61.3 + i * 4, `order.${name}`)
      end(65 + i * 4, `order.${name}`)
    }
    for (const id of ["gate", "catalog.rollout", "order.rollout"]) {
      end(73.1, id, { status: "skipped", reason: "not run: catalog.scan failed" })
    }
    emit(73.2, { type: "run-finished", status: "failed" })
    return events
  }

  end(41.3, "catalog.scan")
  start(24.3, "catalog.quality", "sonar:catalog:4f2a9c17")
  log(
    26,
    "catalog.quality",
    "INFO  SonarScanner CLI 8.1.0.6389",
    "INFO  Sensor JavaScript/TypeScript analysis (done) | time=9120ms",
  )
  report(48, "catalog.quality", {
    kind: "quality-gate",
    status: "passed",
    url: "http://127.0.0.1:9000/dashboard?id=shop%3Acatalog",
    conditions: [
      { metric: "new_coverage", status: "passed", actual: "91.3", threshold: "80", comparator: "LT" },
      { metric: "new_violations", status: "passed", actual: "0", threshold: "0", comparator: "GT" },
      { metric: "new_duplicated_lines_density", status: "none", threshold: "3", comparator: "GT" },
    ],
  })
  end(48.3, "catalog.quality")

  let t = 48.4
  for (const service of services) {
    const step = `${service}.push`
    start(t, step, `push:${digests[service]}`)
    if (service === "order" && scenario === "errored") {
      emit(t + 3, {
        type: "step-retried",
        step,
        attempt: 1,
        delay: 1000,
        error: {
          code: "REGISTRY-503",
          kind: "errored",
          message: "The registry answered 503",
          reason: "PUT /v2/shop/order/manifests/sha-4f2a9c17",
        },
      })
      emit(t + 4, { type: "step-started", step, attempt: 2 })
      log(t + 4.1, step, "layer 1 of 7 pushed", "layer 2 of 7: 503 Service Unavailable")
      end(t + 8, step, {
        status: "errored",
        error: {
          code: "REGISTRY-503",
          kind: "errored",
          message: "The registry answered 503 twice",
          reason: "PUT http://127.0.0.1:5000/v2/shop/order/manifests/sha-4f2a9c17: 503 Service Unavailable",
          hint: "`gantry stack status` shows the registry's health.",
        },
      })
      continue
    }
    report(t + 2, step, {
      kind: "image",
      reference: `${registry}/${service}@${digests[service]}`,
      digest: digests[service],
      size: 58_310_442,
    })
    end(t + 2.2, step)
  }
  const deliver = (service: ServiceName, from: number) => {
    const id = (name: string) => `${service}.${name}`
    start(from, id("deploy-test"), `deploy:test:${service}:${digests[service]}`)
    log(from + 1, id("deploy-test"), "haproxy: server catalog-1 is up", "ready after 6.1 s")
    report(from + 15, id("deploy-test"), deployed(service, "test"))
    end(from + 15.2, id("deploy-test"))
    start(from + 15.3, id("acceptance"))
    report(from + 20, id("acceptance"), {
      kind: "tests",
      suite: "acceptance",
      total: 11,
      passed: 11,
      failed: 0,
      skipped: 0,
      seconds: 1.8,
      failures: [],
    })
    end(from + 20.1, id("acceptance"))
    start(from + 20.2, id("deploy-uat"), `deploy:uat:${service}:${digests[service]}`)
    report(from + 34, id("deploy-uat"), deployed(service, "uat"))
    end(from + 34.2, id("deploy-uat"))
    start(from + 34.3, id("uat-checks"))
    report(from + 39, id("uat-checks"), {
      kind: "tests",
      suite: "uat",
      total: 11,
      passed: 11,
      failed: 0,
      skipped: 0,
      seconds: 2.4,
      failures: [],
    })
    end(from + 39.1, id("uat-checks"))
  }
  t = 51
  deliver("catalog", t)
  if (scenario === "errored") {
    for (const name of ["deploy-test", "acceptance", "deploy-uat", "uat-checks", "rollout"]) {
      end(t + 40, `order.${name}`, { status: "skipped", reason: "not run: order.push errored" })
    }
    end(t + 40, "gate", { status: "skipped", reason: "not run: order.push errored" })
    end(t + 40, "catalog.rollout", { status: "skipped", reason: "not run: order.push errored" })
    emit(t + 41, { type: "run-finished", status: "errored" })
    return events
  }
  deliver("order", t + 1)
  t += 41
  start(t, "gate")
  const approval: ErrorRecord = {
    code: "GATE-WAITING",
    kind: "waiting",
    message: "PROD waits for an approval",
    reason: "The author 韩梅梅 cannot approve; 李雷 (release) can.",
    hint: 'gantry approve 20261123-080512-7f3a --as <you> --reason "…"',
  }
  end(t + 0.2, "gate", { status: "waiting", error: approval })
  emit(t + 0.3, { type: "run-finished", status: "waiting" })
  if (scenario === "waiting") return events

  // The approval came fourteen hours later.
  t += 14 * 3600 + 130
  emit(t, { type: "run-resumed" })
  start(t + 0.1, "gate")
  report(t + 0.2, "gate", {
    kind: "approval",
    decision: "approved",
    by: "李雷 <li.lei@example.com>",
    reason: "上线窗口已确认 (release window confirmed)",
    at: at(t - 20),
    evidenceHash: sha("e71de11ce").slice(7),
  })
  end(t + 0.3, "gate")
  for (const [i, service] of services.entries()) {
    start(t + 0.4 + i, `${service}.rollout`, `deploy:prod:${service}:${digests[service]}`)
    report(t + 40 + i, `${service}.rollout`, deployed(service, "prod"))
    end(t + 41 + i, `${service}.rollout`)
  }
  emit(t + 42.5, { type: "run-finished", status: "success" })
  return events
}

/** Events of several steps at once come in the order of time. */
export function inOrder(events: readonly Stamped<RunEvent>[]): Stamped<RunEvent>[] {
  return [...events].sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0))
}

/** The record that these events make, validated against run.json's schema. */
export function recordOf(events: readonly Stamped<RunEvent>[]): RunRecord {
  const state = emptyState()
  for (const event of events) applyEvent(state, event)
  return RunRecord.parse(state.record)
}

export const sampleRecord = (scenario: Scenario, options: { readonly hostile?: boolean } = {}): RunRecord =>
  recordOf(inOrder(sampleEvents(scenario, options)))

/** A run of so many steps, each behind three earlier ones. */
export function bigRecord(count: number): RunRecord {
  const steps: StepNode[] = Array.from({ length: count }, (_, i) => ({
    id: `part${i % 10}.step-${i}`,
    kind: "pure",
    service: `part${i % 10}`,
    needs: [1, 2, 3].flatMap((back) => (i - back * 7 < 0 ? [] : [`part${(i - back * 7) % 10}.step-${i - back * 7}`])),
  }))
  const at = (ms: number) => new Date(begin + ms).toISOString()
  return recordOf([
    {
      type: "run-started",
      at: at(0),
      run: "20261123-080512-b19b",
      pipeline: "big",
      services: [],
      commit,
      dirty: false,
      selection: {},
      facts: {},
      steps,
    },
    ...steps.flatMap((s, i): Stamped<RunEvent>[] => [
      { type: "step-started", at: at(i * 10), step: s.id, attempt: 1 },
      { type: "step-finished", at: at(i * 10 + 60), step: s.id, status: "success", cached: false },
    ]),
    { type: "run-finished", at: at(count * 10 + 100), status: "success" },
  ])
}
