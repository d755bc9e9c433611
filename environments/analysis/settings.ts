import { z } from "zod"
import { defaultRules } from "./defaults.js"

/** One thing that is measured on the canary, and when it is too bad (section 4.2 of the strategy document). */
export const MetricRule = z.strictObject({
  /**
   * PromQL that answers one number for a group of instances. `$service`, `$servers` (a pattern over the balancer's names of
   * the group's instances), `$instances` (a pattern over their `instance` labels) and `$window` (`30s`) are filled in.
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

/**
 * Metrics by name: a service's or an environment's own; what a default is changed in, by its name; `false` leaves it out.
 */
export const Metrics = z
  .record(z.string().min(1), z.union([MetricRule, z.literal(false)]))
  .superRefine((all, context) => {
    for (const [name, rule] of Object.entries(all)) {
      const known = Object.hasOwn(defaultRules, name)
      if (rule === false ? !known : rule.query === undefined && !known) {
        const message = `"${name}" is none of the defaults (${Object.keys(defaultRules).join(", ")})${rule === false ? "" : ": it needs a query"}`
        context.addIssue({ code: "custom", path: [name], message })
      } else if (rule !== false && rule.query !== undefined && !rule.dryRun && !isLimited(rule)) {
        context.addIssue({
          code: "custom",
          path: [name],
          message: "give max, min or maxTimesBaseline, or make it a dryRun",
        })
      }
    }
  })
export type Metrics = z.infer<typeof Metrics>

const isLimited = ({ max, min, maxTimesBaseline }: MetricRule) =>
  max !== undefined || min !== undefined || maxTimesBaseline !== undefined

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
  /** Beside the defaults. A service adds its own: `analysis` in gantry.service.yaml. */
  metrics: Metrics.default({}),
})
export type Analysis = z.infer<typeof Analysis>
