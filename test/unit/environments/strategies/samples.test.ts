import { describe, expect, it } from "vitest"
import { Report } from "../../../../core/reports.js"
import type { Judgement, Verdict } from "../../../../environments/analysis/verdict.js"
import { collectSamples } from "../../../../environments/strategies/samples.js"

const at = (second: number) => new Date(Date.parse("2026-11-26T08:00:00Z") + second * 1000).toISOString()
const verdict = (judgement: Judgement, canary: number | undefined): Verdict => ({
  judgement,
  at: at(0),
  requests: { canary: 80, baseline: 900 },
  measures: [
    { metric: "serverErrors", unit: "ratio", canary, baseline: 0, judgement, dryRun: false, text: "" },
    { metric: "responseTime", unit: "seconds", canary: 0.2, baseline: 0.1, judgement: "pass", dryRun: false, text: "" },
  ],
  reason: "serverErrors: 9 %",
})

describe("what strategies tell", () => {
  it("becomes points of a chart and its marks, as a report has them", () => {
    const { observe, story } = collectSamples()
    observe({ at: at(0), percent: 5 })
    observe({ at: at(15), percent: 5, verdict: verdict("pass", undefined) })
    observe({ at: at(20), percent: 25 })
    observe({ at: at(35), percent: 25, verdict: verdict("fail", 0.09) })
    observe({ at: at(36), percent: 0, text: "going back" })
    const { samples, marks, measures } = story()
    expect(measures?.map((m) => `${m.metric} ${m.judgement}`)).toEqual(["serverErrors fail", "responseTime pass"])
    expect(marks.map((m) => m.text)).toEqual([
      "5 % of the traffic",
      "25 % of the traffic",
      "serverErrors: 9 %",
      "going back",
    ])
    expect(samples[1]).toEqual({
      at: at(15),
      percent: 5,
      canary: { requests: 80, errors: undefined, latency: 0.2 },
      baseline: { requests: 900, errors: 0, latency: 0.1 },
      judgement: "pass",
    })
    const report = {
      kind: "rollout",
      environment: "prod",
      service: "web",
      strategy: "canary",
      to: "d",
      outcome: "done",
    }
    expect(Report.safeParse({ ...report, ...story() }).success).toBe(true)
  })

  it("is thinned in a long rollout, but for what is not good, and its end", () => {
    const { observe, story } = collectSamples()
    for (let i = 0; i < 3000; i++) {
      observe({ at: at(i * 5), percent: i < 2000 ? 5 : 50, verdict: verdict(i === 777 ? "fail" : "pass", 0) })
    }
    const { samples } = story()
    expect(samples.length).toBeLessThan(450)
    expect(samples.filter((s) => s.judgement === "fail")).toHaveLength(1)
    expect(samples.map((s) => s.at)).toEqual(expect.arrayContaining([at(0), at(777 * 5), at(2000 * 5), at(2999 * 5)]))
  })
})
