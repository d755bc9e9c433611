import { describe, expect, it } from "vitest"
import { isFault } from "../../../../core/errors.js"
import { fault } from "../../../../core/errors.js"
import { analyse } from "../../../../environments/analysis/analyse.js"
import { defaultRules } from "../../../../environments/analysis/defaults.js"
import { fillQuery } from "../../../../environments/analysis/queries.js"
import { rulesOf, withMetrics } from "../../../../environments/analysis/rules.js"
import { Analysis, Metrics } from "../../../../environments/analysis/settings.js"
import type { MetricsSource } from "../../../../environments/analysis/verdict.js"
import { CanaryStrategy, RollingStrategy } from "../../../../environments/strategies/settings.js"

describe("placeholders", () => {
  const group = { service: "order-desk", slots: [1, 12], windowSeconds: 12.3456 }
  it.each([
    ['x{service="$service"}', 'x{service="order-desk"}'],
    ['x{server=~"$servers"}[$window]', 'x{server=~"order-desk([.]preview)?-1|order-desk([.]preview)?-12"}[12345ms]'],
    ['x{instance=~"$instances"} offset $window', 'x{instance=~"order-desk-1|order-desk-12"} offset 12345ms'],
    ["$windows $serviceable $other", "$windows $serviceable $other"],
  ])("%s", (query, filled) => {
    expect(fillQuery(query, group)).toBe(filled)
  })
  it("leave none of the defaults unfilled", () => {
    for (const { query } of Object.values(defaultRules)) expect(fillQuery(query, group)).not.toContain("$")
  })
})

describe("rules", () => {
  it("are the defaults of section 4.2.2", () => {
    const limits = Object.entries(rulesOf({ metrics: {} })).map(([name, { min, max, unit }]) => [
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
    const rules = rulesOf({ metrics: own })
    expect(rules["responseTime"]).toMatchObject({ ...defaultRules["responseTime"], max: 0.3 })
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
  const comparison = { service: "web", canary: [3], baseline: [1, 2], sinceSeconds: 20 }
  /** Answers by the first pattern that the query matches, and keeps what it was asked. */
  function fake(answers: readonly [RegExp, number | undefined | Error][]) {
    const asked: { query: string; at: number | undefined }[] = []
    const source: MetricsSource = {
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
