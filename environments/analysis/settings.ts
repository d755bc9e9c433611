import { z } from "zod"
import { defaultLimits } from "./defaults.js"
import { MetricRule } from "./rule.js"

/**
 * Metrics by name: a service's or an environment's own; what a default is changed in, by its name; `false` leaves it out.
 */
export const Metrics = z
  .record(z.string().min(1), z.union([MetricRule, z.literal(false)]))
  .superRefine((all, context) => {
    for (const [name, rule] of Object.entries(all)) {
      const known = Object.hasOwn(defaultLimits, name)
      if (rule === false ? !known : rule.query === undefined && !known) {
        const message = `"${name}" is none of the defaults (${Object.keys(defaultLimits).join(", ")})${rule === false ? "" : ": it needs a query"}`
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
