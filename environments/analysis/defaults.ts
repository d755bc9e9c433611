import type { Rule } from "./rule.js"

/**
 * What every release is judged by, with the thresholds of section 4.2.2 of the strategy document. Where the figures come from
 * is the source's affair: its dialect has the queries. By name; a service or an environment changes a threshold by that
 * name, or leaves one out with `false`.
 */
export const defaultLimits = {
  availability: { unit: "ratio", min: 0.999, dryRun: false },
  serverErrors: { unit: "ratio", max: 0.01, dryRun: false },
  clientErrors: { unit: "ratio", max: 0.05, dryRun: false },
  responseTime: { unit: "seconds", max: 1, dryRun: false },
} as const satisfies Readonly<Record<string, Omit<Rule, "query">>>

export type DefaultRule = keyof typeof defaultLimits
