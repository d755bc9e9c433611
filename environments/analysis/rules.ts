import { defaultLimits, type DefaultRule } from "./defaults.js"
import type { Dialect } from "./dialect.js"
import type { MetricRule, Rule } from "./rule.js"
import type { Analysis, Metrics } from "./settings.js"

/** What decides, by name: the defaults, as the environment and the service changed them, and their own. */
export function rulesOf(
  analysis: Pick<Analysis, "metrics">,
  dialect: Pick<Dialect, "queries">,
): Readonly<Record<string, Rule>> {
  const names = Object.keys(defaultLimits) as readonly DefaultRule[]
  const rules: Record<string, Rule> = Object.fromEntries(
    names.map((name) => [name, { ...defaultLimits[name], query: dialect.queries[name] }]),
  )
  for (const [name, own] of Object.entries(analysis.metrics)) {
    const rule = own === false ? undefined : complete(own, rules[name])
    if (rule === undefined) Reflect.deleteProperty(rules, name)
    else rules[name] = rule
  }
  return rules
}

function complete(own: MetricRule, known: Rule | undefined): Rule | undefined {
  if (own.query !== undefined) return { ...own, query: own.query }
  if (known === undefined) return undefined // Refused by the schema.
  const { max = known.max, min = known.min, maxTimesBaseline = known.maxTimesBaseline } = own
  return { query: known.query, unit: known.unit, dryRun: own.dryRun, max, min, maxTimesBaseline }
}

/** Settings of a strategy together with a service's own metrics; where both name one, the service's word counts. */
export function withMetrics<T extends { readonly kind: string }>(strategy: T, own: Metrics): T {
  if (!("analysis" in strategy)) return strategy // It does not judge.
  const analysis = strategy.analysis as Analysis
  return { ...strategy, analysis: { ...analysis, metrics: { ...analysis.metrics, ...own } } }
}
