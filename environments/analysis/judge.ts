import { figureText, limitText } from "./text.js"
import type { Rule } from "./rule.js"
import type { Judgement, Measure, Verdict } from "./verdict.js"

/** What was measured of both groups within one window. */
export interface Figures {
  /** ISO 8601. */
  readonly at: string
  /** Why Prometheus has no figures at all, e.g. it had not heard of the balancer lately; undefined: it has. */
  readonly unscraped: string | undefined
  readonly requests: { readonly canary: number; readonly baseline: number }
  readonly metrics: Readonly<Record<string, Pair>>
}
export interface Pair {
  readonly canary: number | undefined
  readonly baseline: number | undefined
  /** Why there are no figures, where that is known. */
  readonly problem?: string
}

/**
 * The verdict over the figures of a window. Fail: a deciding measure is too bad. Pass: every deciding measure has a figure
 * and none is. Everything else is inconclusive: too few requests, a figure that is not there, a limit that the
 * release before breaks as well. Measures of a dry run are judged and shown, and decide nothing.
 */
export function judge(rules: Readonly<Record<string, Rule>>, figures: Figures, minRequests: number): Verdict {
  const { at, requests } = figures
  const measures = Object.entries(rules).map(([metric, rule]) =>
    measure(metric, rule, figures.metrics[metric] ?? { canary: undefined, baseline: undefined }, figures, minRequests),
  )
  const verdict = (judgement: Judgement, reason: string): Verdict => ({ judgement, at, requests, measures, reason })
  if (figures.unscraped !== undefined) return verdict("inconclusive", figures.unscraped)
  if (requests.canary < minRequests) {
    const had = requests.canary === 0 ? "no request" : `${requests.canary} of`
    return verdict(
      "inconclusive",
      requests.canary === 0
        ? `no traffic: the new release had ${had} within the window, and ${minRequests} are the least that says something`
        : `too little traffic: the new release had ${had} at least ${minRequests} requests within the window`,
    )
  }
  for (const judgement of ["fail", "inconclusive"] as const) {
    const deciding = measures.filter((m) => !m.dryRun && m.judgement === judgement)
    if (deciding.length > 0) return verdict(judgement, deciding.map((m) => `${m.metric}: ${m.text}`).join("; "))
  }
  const decided = measures.filter((m) => !m.dryRun)
  // Everything left out, or nothing but dry runs: nobody has looked.
  if (decided.length === 0) return verdict("inconclusive", "no metric decides")
  return verdict("pass", decided.map((m) => `${m.metric}: ${m.text}`).join("; "))
}

function measure(metric: string, rule: Rule, pair: Pair, figures: Figures, minRequests: number): Measure {
  const { canary } = pair
  // What the baseline says of a handful of requests is no measure for another release.
  const baseline = figures.requests.baseline < minRequests ? undefined : pair.baseline
  const { judgement, why } = judged(rule, canary, baseline, pair.problem)
  const enough = figures.unscraped === undefined && figures.requests.canary >= minRequests
  return {
    metric,
    unit: rule.unit,
    canary,
    baseline: pair.baseline,
    judgement: enough ? judgement : "inconclusive",
    dryRun: rule.dryRun,
    text: textOf(rule, pair, figures.requests.canary, why),
  }
}

function judged(
  rule: Rule,
  canary: number | undefined,
  baseline: number | undefined,
  problem: string | undefined,
): { readonly judgement: Judgement; readonly why?: string } {
  if (canary === undefined) return { judgement: "inconclusive", why: problem ?? "no figure" }
  const { max, min, maxTimesBaseline } = rule
  for (const limit of [
    max === undefined ? undefined : { at: max, sign: 1 },
    min === undefined ? undefined : { at: min, sign: -1 },
  ]) {
    if (limit === undefined) continue
    const beyond = (value: number) => (value - limit.at) * limit.sign
    if (beyond(canary) <= 0) continue
    // Going back would not help; going on would not, either: a person's affair.
    if (baseline !== undefined && beyond(baseline) > 0 && beyond(canary) <= 1.5 * beyond(baseline)) {
      return { judgement: "inconclusive", why: "the release before is no better" }
    }
    return { judgement: "fail" }
  }
  if (maxTimesBaseline !== undefined) {
    if (baseline !== undefined && baseline > 0) {
      if (canary > maxTimesBaseline * baseline) return { judgement: "fail" }
    } else if (max === undefined && min === undefined) {
      return { judgement: "inconclusive", why: "the release before has no figure to compare with" }
    }
  }
  return { judgement: "pass" }
}

function textOf(rule: Rule, { canary, baseline }: Pair, requests: number, why: string | undefined): string {
  const figure = canary === undefined ? undefined : figureText(canary, rule.unit)
  const of = rule.unit === "ratio" && figure !== undefined ? ` of ${requests} requests` : ""
  const before = baseline === undefined ? undefined : `before ${figureText(baseline, rule.unit)}`
  return [
    figure === undefined ? undefined : `${figure}${of}`,
    limitText(rule),
    before,
    why,
    rule.dryRun ? "dry run" : undefined,
  ]
    .filter((part) => part !== undefined && part !== "")
    .join(", ")
}
