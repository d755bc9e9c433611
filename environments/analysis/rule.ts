import { z } from "zod"

/** One thing that is measured on the canary, and when it is too bad (section 4.2 of the strategy document). */
export const MetricRule = z.strictObject({
  /**
   * PromQL that answers one number for a group of instances. `$service`, `$servers` (a pattern over the balancer's names of
   * the group's instances), `$instances` (a pattern over their `instance` labels), `$probes` (over the paths that machines
   * ask) and `$window` (`30s`) are filled in.
   * Left out, under the name of a default: its query and unit, and those of its limits that are not given here.
   */
  query: z.string().min(1).optional(),
  unit: z.enum(["ratio", "seconds", "count", "per second"]).default("ratio"),
  /** Above it is a failure. */
  max: z.number().optional(),
  /** Below it is a failure. */
  min: z.number().optional(),
  /** How many times the baseline's figure the canary's may be, e.g. 1.5. Only where the baseline has one. */
  maxTimesBaseline: z.number().positive().optional(),
  /** Measured and shown; decides nothing. */
  dryRun: z.boolean().default(false),
})
export type MetricRule = z.infer<typeof MetricRule>

/** A rule with its query. */
export type Rule = MetricRule & { readonly query: string }
