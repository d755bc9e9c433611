import { describe, expect, it } from "vitest"
import { isFault } from "../../../../core/errors.js"
import { fault } from "../../../../core/errors.js"
import { analyse } from "../../../../environments/analysis/analyse.js"
import { defaultLimits } from "../../../../environments/analysis/defaults.js"
import type { Dialect } from "../../../../environments/analysis/dialect.js"
import { checkFigures } from "../../../../environments/analysis/figures.js"
import { haproxy } from "../../../../environments/analysis/haproxy.js"
import { pods } from "../../../../environments/analysis/pods.js"
import { fillQuery } from "../../../../environments/analysis/queries.js"
import { rulesOf, withMetrics } from "../../../../environments/analysis/rules.js"
import { Analysis, Metrics } from "../../../../environments/analysis/settings.js"
import type { MetricsSource } from "../../../../environments/analysis/verdict.js"
import { CanaryStrategy, RollingStrategy } from "../../../../environments/strategies/settings.js"

describe("placeholders", () => {
  const group = {
    service: "order-desk",
    instances: [
      { slot: 1, name: "order-desk-blue-5d4f-abcde" },
      { slot: 12, name: "order-desk-blue-5d4f-fghij" },
    ],
    probes: ["/", "/api/ping", "/x.y?z=1"],
    windowSeconds: 12.3456,
  }
  it.each<[string, Dialect, string, string]>([
    ["service", haproxy, 'x{service="$service"}', 'x{service="order-desk"}'],
    [
      "servers",
      haproxy,
      'x{server=~"$servers"}[$window]',
      'x{server=~"order-desk([.]preview)?-1|order-desk([.]preview)?-12"}[12345ms]',
    ],
    [
      "slots",
      haproxy,
      'x{instance=~"$instances"} offset $window',
      'x{instance=~"order-desk-1|order-desk-12"} offset 12345ms',
    ],
    ["pods", pods, 'x{instance=~"$instances"}', 'x{instance=~"order-desk-blue-5d4f-abcde|order-desk-blue-5d4f-fghij"}'],
    [
      "paths of machines, the home page apart",
      pods,
      'x{uri!~"$probes"}',
      'x{uri!~"/(actuator|health|ready|live|metrics)(/.*)?|/api/ping|/x.y"}',
    ],
    ["nothing else", pods, "$windows $serviceable $other", "$windows $serviceable $other"],
  ])("are filled in: %s", (_, dialect, query, filled) => {
    expect(fillQuery(query, group, dialect)).toBe(filled)
  })
  it.each([
    ["HAProxy's", haproxy],
    ["the pods'", pods],
  ])("leave none of %s queries unfilled", (_, dialect) => {
    for (const query of [dialect.requests, dialect.scraped, ...Object.values(dialect.queries)]) {
      const filled = fillQuery(query, group, dialect)
      expect(filled).not.toContain("$")
      expect(filled.replace(/"[^"]*"/g, "").match(/[({[]/g)).toHaveLength(
        filled.replace(/"[^"]*"/g, "").match(/[)}\]]/g)?.length ?? 0,
      )
    }
  })
})

describe("rules", () => {
  it("are the defaults of section 4.2.2", () => {
    const limits = Object.entries(rulesOf({ metrics: {} }, haproxy)).map(([name, { min, max, unit }]) => [
      name,
      min ?? max,
      unit,
    ])
    expect(limits).toEqual([
      ["availability", 0.999, "ratio"],
      ["serverErrors", 0.01, "ratio"],
      ["clientErrors", 0.05, "ratio"],
      ["responseTime", 1, "seconds"],
    ])
  })
  it("are changed by name, left out and added to", () => {
    const own = Metrics.parse({
      responseTime: { max: 0.3 },
      serverErrors: { maxTimesBaseline: 2 },
      clientErrors: false,
      payment: { query: "p", unit: "seconds", max: 3 },
    })
    const rules = rulesOf({ metrics: own }, pods)
    const query = pods.queries.responseTime
    expect(rules["responseTime"]).toMatchObject({ ...defaultLimits.responseTime, max: 0.3, query })
    expect(rules["serverErrors"]).toMatchObject({ max: 0.01, maxTimesBaseline: 2 })
    expect(Object.keys(rules)).toEqual(["availability", "serverErrors", "responseTime", "payment"])
  })
  it("of a service stand above the environment's, where the strategy judges", () => {
    const metrics = { a: { query: "env", max: 1 }, b: { query: "env", max: 1 } }
    const own = Metrics.parse({ b: { query: "service", max: 2 } })
    const canary = withMetrics(CanaryStrategy.parse({ kind: "canary", analysis: { metrics } }), own)
    expect(canary.analysis.metrics).toMatchObject({ a: { query: "env" }, b: { query: "service", max: 2 } })
    expect(canary.analysis.minRequests).toBe(50)
    const rolling = RollingStrategy.parse({ kind: "rolling" })
    expect(withMetrics(rolling, own)).toBe(rolling)
  })
  it.each([
    [{ orders: { min: 0.9 } }, /"orders" is none of the defaults .*needs a query/],
    [{ orders: false }, /"orders" is none of the defaults/],
    [{ orders: { query: "q" } }, /give max, min or maxTimesBaseline/],
    [{ toString: { min: 1 } }, /none of the defaults/],
  ])("are refused: %j", (metrics, message) => {
    expect(Metrics.safeParse(metrics).error?.issues[0]?.message).toMatch(message)
  })
  it("that only show need no limit", () => {
    expect(Metrics.safeParse({ orders: { query: "q", dryRun: true } }).success).toBe(true)
  })
})

describe("an analysis", () => {
  const { signal } = new AbortController()
  const party = (slot: number) => ({ slot, name: `pod-${slot}` })
  const comparison = { service: "web", canary: [party(3)], baseline: [party(1), party(2)], sinceSeconds: 20 }
  /** Answers by the first pattern that the query matches, and keeps what it was asked. */
  function fake(answers: readonly [RegExp, number | undefined | Error][], dialect?: Dialect) {
    const asked: { query: string; at: number | undefined }[] = []
    const source: MetricsSource = {
      ...(dialect === undefined ? {} : { dialect }),
      query: (query, _, at) => {
        asked.push({ query, at })
        const answer = answers.find(([pattern]) => pattern.test(query))?.[1]
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer)
      },
    }
    return { source, asked }
  }

  it("looks at one moment by the source's clock, and not before the traffic was shifted", async () => {
    const { source, asked } = fake([
      [/^time\(\)$/, 1_764_144_000.5],
      [/./, 1],
    ])
    await analyse(source, Analysis.parse({ windowSeconds: 60 }), comparison, signal)
    const [first, ...rest] = asked
    expect(first?.query).toBe("time()")
    expect(rest.length).toBeGreaterThan(8)
    expect(new Set(rest.map((one) => one.at))).toEqual(new Set([1_764_144_000.5]))
    const windows = rest
      .filter(({ query }) => !/_weight/.test(query))
      .flatMap(({ query }) => query.match(/\d+ms/g) ?? [])
    expect(new Set(windows)).toEqual(new Set(["20000ms"]))
    await analyse(source, Analysis.parse({ windowSeconds: 7 }), comparison, signal)
    expect(asked.at(-1)?.query).toContain("[7000ms]")
  })

  it("asks pods by their names, and the paths of machines are none of the users'", async () => {
    const { source, asked } = fake([[/./, 1]], pods)
    await analyse(source, Analysis.parse({}), { ...comparison, probes: ["/ping"] }, signal)
    const queries = asked.map(({ query }) => query)
    expect(queries.every((query) => !query.includes("haproxy"))).toBe(true)
    expect(queries.filter((query) => query.includes('instance=~"pod-3"')).length).toBeGreaterThan(5)
    expect(queries.filter((query) => query.includes('instance=~"pod-1|pod-2"')).length).toBeGreaterThan(4)
    expect(queries.filter((query) => /http_server/.test(query) && !query.includes('|/ping"'))).toEqual([])
  })

  it.each<[string, Dialect, number | undefined, number, RegExp | undefined]>([
    ["the balancer is not scraped", haproxy, undefined, 1, /no figures of the load balancer/],
    ["the balancer tells of one", haproxy, 1, 2, undefined],
    ["no pod is scraped", pods, undefined, 2, /no figures of 2 of 2 instances/],
    ["one pod of two is not", pods, 1, 2, /no figures of 1 of 2 instances/],
    ["both pods are", pods, 2, 2, undefined],
    ["there is no pod", pods, undefined, 0, /no figures of 0 of 0/],
  ])("knows nothing where nobody is scraped: %s", async (_, dialect, found, count, reason) => {
    const { source } = fake(
      [
        [dialect === pods ? /^count\(count by/ : /^count\(haproxy_server_weight/, found],
        [/^time|^sum/, 100],
        [/./, 0.9999],
      ],
      dialect,
    )
    const canary = Array.from({ length: count }, (_one, i) => party(i + 3))
    const settings = Analysis.parse({ metrics: { serverErrors: false, clientErrors: false } })
    const verdict = await analyse(source, settings, { ...comparison, canary }, signal)
    if (reason === undefined) expect(verdict).toMatchObject({ judgement: "pass", requests: { canary: 100 } })
    else {
      expect(verdict.judgement).toBe("inconclusive")
      expect(verdict.reason).toMatch(reason)
    }
  })

  it("asks nothing about nobody", async () => {
    const { source, asked } = fake([[/./, 100]])
    const verdict = await analyse(source, Analysis.parse({}), { ...comparison, baseline: [] }, signal)
    expect(verdict.requests).toEqual({ canary: 100, baseline: 0 })
    expect(asked.every(({ query }) => !/-1/.test(query))).toBe(true)
  })

  it("is no pass when the source does not answer", async () => {
    const silent = fault({ code: "METRICS-UNREACHABLE", kind: "errored", message: "silent" })
    for (const pattern of [/^time/, /weight/, /code="5xx"/]) {
      const { source } = fake([
        [pattern, silent],
        [/./, 100],
      ])
      const error: unknown = await analyse(source, Analysis.parse({}), comparison, signal).catch((e: unknown) => e)
      expect(isFault(error) && [error.code, error.kind]).toEqual(["METRICS-UNREACHABLE", "errored"])
    }
  })

  it("bears a dry run whose query is wrong, and no other", async () => {
    const wrong = fault({
      code: "METRICS-QUERY",
      kind: "usage",
      message: "A query cannot be used",
      reason: "parse error",
    })
    const { source } = fake([
      [/^oops/, wrong],
      [/haproxy_server_weight/, 1],
      [/haproxy.*\/|uri/, 0.9999],
      [/./, 100],
    ])
    const settings = (dryRun: boolean) =>
      Analysis.parse({
        metrics: { own: { query: "oops", max: 1, dryRun }, serverErrors: false, clientErrors: false },
      })
    const verdict = await analyse(source, settings(true), comparison, signal)
    expect(verdict.measures.find((m) => m.metric === "own")?.text).toContain("parse error")
    await expect(analyse(source, settings(false), comparison, signal)).rejects.toMatchObject({ code: "METRICS-QUERY" })
  })
})

describe("a service without figures of its own", () => {
  const query = () => Promise.resolve(undefined)
  const at = { service: "web", environment: "prod" }
  it("is judged by the balancer's, and by nothing where there are the pods' alone", () => {
    expect(() => checkFigures({ query }, {}, at)).not.toThrow()
    expect(() => checkFigures({ query, dialect: haproxy }, {}, at)).not.toThrow()
    expect(() => checkFigures({ query, dialect: pods }, { metrics: "/metrics" }, at)).not.toThrow()
    expect(() => checkFigures({ query, dialect: pods }, {}, at)).toThrow(
      expect.objectContaining({ code: "METRICS-NONE", kind: "usage" }) as Error,
    )
  })
})
