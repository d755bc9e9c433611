import { z } from "zod"

/** One thing that is measured on the canary, and when it is too bad (section 4.2 of the strategy document). */
export const MetricRule = z.strictObject({
  /**
   * PromQL that answers one number for a group of instances. `$service`, `$servers` (a pattern over the balancer's names of
   * the group's instances), `$instances` (a pattern over their `instance` labels) and `$window` (`30s`) are filled in.
   */
  query: z.string().min(1),
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

/** How a release is judged while it has part of the traffic. */
export const Analysis = z.strictObject({
  /** Between two measurements. Seconds. */
  intervalSeconds: z.number().positive().default(15),
  /** How far a measurement looks back, at most to the moment when the traffic was shifted last. Seconds. */
  windowSeconds: z.number().positive().default(60),
  /** Fewer requests to the canary within the window say nothing: inconclusive. */
  minRequests: z.number().int().positive().default(50),
  /** So many failed measurements of one step in all take the release back. */
  failures: z.number().int().positive().default(1),
  /** The service's own metrics by name, beside the defaults; `false` leaves a default out. */
  metrics: z.record(z.string(), z.union([MetricRule, z.literal(false)])).default({}),
})
export type Analysis = z.infer<typeof Analysis>
