import { isFault } from "../../core/errors.js"
import type { Party } from "./dialect.js"
import { haproxy } from "./haproxy.js"
import { judge, type Pair } from "./judge.js"
import { fillQuery } from "./queries.js"
import type { Rule } from "./rule.js"
import { rulesOf } from "./rules.js"
import type { Analysis } from "./settings.js"
import type { Comparison, MetricsSource, Verdict } from "./verdict.js"

/**
 * Measures canary and baseline over one window, all figures at the same moment, and judges the canary. The window is
 * never longer than they have shared the traffic as now: what was before says nothing about this share.
 * @throws METRICS-UNREACHABLE (errored) when the source does not answer, METRICS-QUERY (usage) for a query of one's own
 */
export async function analyse(
  source: MetricsSource,
  analysis: Analysis,
  comparison: Comparison,
  signal: AbortSignal,
): Promise<Verdict> {
  const { service, probes = [] } = comparison
  const { dialect = haproxy } = source
  const windowSeconds = Math.min(analysis.windowSeconds, comparison.sinceSeconds)
  // By the source's own clock: another host's may differ from ours.
  const now = await source.query("time()", signal)
  const ask = async (query: string, instances: readonly Party[]): Promise<number | undefined> =>
    instances.length === 0 || windowSeconds < 0.001
      ? undefined
      : source.query(fillQuery(query, { service, instances, probes, windowSeconds }, dialect), signal, now)
  const both = async (query: string): Promise<Pair> => {
    const [canary, baseline] = await Promise.all([ask(query, comparison.canary), ask(query, comparison.baseline)])
    return { canary, baseline }
  }
  const rules = rulesOf(analysis, dialect)
  // A window that has just begun has no sample yet.
  const canary = { service, instances: comparison.canary, probes, windowSeconds: dialect.scrapedSeconds }
  const [scraped, requests, metrics] = await Promise.all([
    source.query(fillQuery(dialect.scraped, canary, dialect), signal, now),
    both(dialect.requests),
    Promise.all(Object.entries(rules).map(async ([name, rule]) => [name, await pairOf(rule, both)] as const)),
  ])
  // Whole requests, but for a window in which the balancer was reloaded.
  const count = (requested: number | undefined) => Math.round(requested ?? 0)
  return judge(
    rules,
    {
      at: new Date().toISOString(),
      unscraped: dialect.unscraped(scraped ?? 0, canary),
      requests: { canary: count(requests.canary), baseline: count(requests.baseline) },
      metrics: Object.fromEntries(metrics),
    },
    analysis.minRequests,
  )
}

/** A dry run never stops a rollout, even if its query is wrong: that is shown in place of the figure. */
async function pairOf(rule: Rule, both: (query: string) => Promise<Pair>): Promise<Pair> {
  try {
    return await both(rule.query)
  } catch (error) {
    if (!rule.dryRun || !isFault(error) || error.code !== "METRICS-QUERY") throw error
    return {
      canary: undefined,
      baseline: undefined,
      problem: `${error.message}: ${error.reason?.split("\n")[0] ?? ""}`,
    }
  }
}
