import type { Dialect, Party } from "./dialect.js"

/** Where figures come from: a Prometheus, or a fake of it. */
export interface MetricsSource {
  /** Which figures it has. Default: HAProxy's. */
  readonly dialect?: Dialect
  /**
   * One number of an instant query; undefined when the query finds nothing or NaN.
   * @param at moment of the evaluation, seconds since 1970, so that several queries look at the same; default: now
   * @throws METRICS-UNREACHABLE (errored) when nobody answers, METRICS-QUERY (usage) when the query is no PromQL
   */
  query(promql: string, signal: AbortSignal, at?: number): Promise<number | undefined>
}

/** The instances that are compared, and since when they share the traffic as now. */
export interface Comparison {
  readonly service: string
  readonly canary: readonly Party[]
  readonly baseline: readonly Party[]
  /** Paths of the new release that machines ask alone: readiness, figures. */
  readonly probes?: readonly string[]
  readonly sinceSeconds: number
}

/** fail takes the release back; inconclusive waits for a person: no traffic says nothing, never a pass. */
export type Judgement = "pass" | "fail" | "inconclusive"

export interface Measure {
  readonly metric: string
  readonly unit: string
  readonly canary: number | undefined
  readonly baseline: number | undefined
  readonly judgement: Judgement
  readonly dryRun: boolean
  /** For people: "4.2 % of 812 requests, at most 1 %". */
  readonly text: string
}

export interface Verdict {
  readonly judgement: Judgement
  /** ISO 8601. */
  readonly at: string
  /** Requests within the window. */
  readonly requests: { readonly canary: number; readonly baseline: number }
  readonly measures: readonly Measure[]
  /** The measures that decided it, in words. */
  readonly reason: string
}
