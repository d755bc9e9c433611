import { describe, expect, it } from "vitest"
import { judge, type Figures, type Pair } from "../../../../environments/analysis/judge.js"
import { verdictText } from "../../../../environments/analysis/text.js"
import type { Rule } from "../../../../environments/analysis/rule.js"
import type { Judgement } from "../../../../environments/analysis/verdict.js"

const rule = (over: Partial<Rule>): Rule => ({ query: "q", unit: "ratio", dryRun: false, ...over })
const figures = (pair: Pair, over: Partial<Figures> = {}): Figures => ({
  at: "2026-11-26T08:00:00.000Z",
  unscraped: undefined,
  requests: { canary: 800, baseline: 9000 },
  metrics: { m: pair },
  ...over,
})
const of = (one: Rule, canary: number | undefined, baseline: number | undefined, over: Partial<Figures> = {}) =>
  judge({ m: one }, figures({ canary, baseline }, over), 50)

describe("the verdict over one metric", () => {
  const none = undefined
  it.each<[string, Partial<Rule>, number | undefined, number | undefined, Judgement]>([
    ["below the limit", { max: 0.01 }, 0.004, 0.001, "pass"],
    ["exactly at the limit", { max: 0.01 }, 0.01, 0, "pass"],
    ["above the limit", { max: 0.01 }, 0.042, 0, "fail"],
    ["above it, with nothing to compare", { max: 0.01 }, 0.042, none, "fail"],
    ["exactly at the least", { min: 0.999 }, 0.999, 1, "pass"],
    ["below the least", { min: 0.999 }, 0.998, 1, "fail"],
    ["between both limits", { min: 1, max: 3 }, 2, none, "pass"],
    ["beyond the second of both limits", { min: 1, max: 3 }, 0.5, 2, "fail"],
    ["no figure", { max: 0.01 }, none, 0.001, "inconclusive"],
    ["above it, as the release before", { max: 0.05 }, 0.081, 0.08, "inconclusive"],
    ["below the least, as the release before", { min: 0.999 }, 0.99, 0.989, "inconclusive"],
    ["above it, and much worse than before", { max: 0.05 }, 0.9, 0.06, "fail"],
    ["above it, where before it was exactly at it", { max: 0.05 }, 0.06, 0.05, "fail"],
    ["within the factor", { maxTimesBaseline: 1.5 }, 0.3, 0.2, "pass"],
    ["beyond the factor", { maxTimesBaseline: 1.5 }, 0.31, 0.2, "fail"],
    ["a factor of nothing", { maxTimesBaseline: 1.5 }, 0.3, none, "inconclusive"],
    ["a factor of zero", { maxTimesBaseline: 1.5 }, 0.3, 0, "inconclusive"],
    ["a factor of nothing beside a limit", { maxTimesBaseline: 1.5, max: 1 }, 0.3, none, "pass"],
    ["within the limit but beyond the factor", { maxTimesBaseline: 1.5, max: 1 }, 0.5, 0.1, "fail"],
  ])("%s", (_, over, canary, baseline, expected) => {
    const verdict = of(rule(over), canary, baseline)
    expect(verdict.judgement).toBe(expected)
    expect(verdict.measures[0]?.judgement).toBe(expected)
  })

  it("does not compare with a baseline of a handful of requests", () => {
    const few = { requests: { canary: 800, baseline: 49 } }
    expect(of(rule({ max: 0.05 }), 0.081, 0.08, few).judgement).toBe("fail")
    expect(of(rule({ maxTimesBaseline: 2 }), 0.9, 0.1, few).judgement).toBe("inconclusive")
  })

  it("says it in words", () => {
    const seconds = rule({ unit: "seconds", max: 1, maxTimesBaseline: 2 })
    expect(of(rule({ max: 0.01 }), 0.042, 0).reason).toBe("m: 4.2 % of 800 requests, at most 1 %, before 0 %")
    expect(of(rule({ min: 0.999 }), 0.9989, 1).reason).toBe("m: 99.89 % of 800 requests, at least 99.9 %, before 100 %")
    expect(of(seconds, 1.314, 0.2).reason).toBe(
      "m: 1.31 s, at most 1 s, at most 2 times the release before, before 200 ms",
    )
    expect(of(rule({ max: 0.05 }), 0.08, 0.08).reason).toContain("the release before is no better")
    expect(of(rule({ max: 0.05 }), undefined, 0.08).reason).toBe("m: at most 5 %, before 8 %, no figure")
  })
})

describe("the verdict over all", () => {
  const rules = { good: rule({ max: 1 }), bad: rule({ max: 0.01 }), missing: rule({ max: 1 }) }
  const metrics = {
    good: { canary: 0, baseline: 0 },
    bad: { canary: 0.5, baseline: 0 },
    missing: { canary: undefined, baseline: undefined },
  }
  const all = (over: Partial<Figures> = {}) => figures({ canary: 0, baseline: 0 }, { metrics, ...over })

  it("fails when one metric does, whatever is not known of others", () => {
    const verdict = judge(rules, all(), 50)
    expect(verdict.judgement).toBe("fail")
    expect(verdict.reason).toMatch(/^bad: 50 %/)
    expect(verdict.reason).not.toContain("missing")
  })

  it("is inconclusive when one has no figure and none fails", () => {
    const verdict = judge({ good: rules.good, missing: rules.missing }, all(), 50)
    expect(verdict).toMatchObject({ judgement: "inconclusive" })
    expect(verdict.reason).toMatch(/^missing: /)
  })

  it("is decided by no dry run, which is shown", () => {
    const verdict = judge({ good: rules.good, bad: { ...rules.bad, dryRun: true } }, all(), 50)
    expect(verdict.judgement).toBe("pass")
    expect(verdict.measures[1]).toMatchObject({ metric: "bad", judgement: "fail", dryRun: true })
    expect(verdict.measures[1]?.text).toContain("dry run")
    expect(verdict.reason).not.toContain("bad")
    expect(verdictText(verdict)).toMatch(/^pass; good: .*; bad: 50 % of 800 requests, .*dry run$/)
    expect(judge({ bad: { ...rules.bad, dryRun: true } }, all(), 50).judgement).toBe("inconclusive")
  })

  it.each([
    [0, /^no traffic/],
    [49, /^too little traffic: .* 49 /],
  ])("is inconclusive over %i requests, however good or bad they were", (canary, reason) => {
    for (const names of [["good"], ["bad"], ["good", "bad"]]) {
      const chosen = Object.fromEntries(Object.entries(rules).filter(([name]) => names.includes(name)))
      const verdict = judge(chosen, all({ requests: { canary, baseline: 9000 } }), 50)
      expect(verdict.judgement).toBe("inconclusive")
      expect(verdict.reason).toMatch(reason)
      expect(verdict.measures.map((m) => m.judgement)).toEqual(names.map(() => "inconclusive"))
    }
  })

  it("is inconclusive when the figures do not come any more, even if there are old ones", () => {
    const verdict = judge(rules, all({ unscraped: "nobody is scraped" }), 50)
    expect(verdict).toMatchObject({ judgement: "inconclusive", requests: { canary: 800 } })
    expect(verdict.reason).toBe("nobody is scraped")
  })

  it("is inconclusive without any rule", () => {
    expect(judge({}, all(), 50)).toMatchObject({ judgement: "inconclusive", reason: "no metric decides" })
  })
})
