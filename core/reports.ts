import { z } from "zod"

/**
 * What a step tells people besides its output: published while it runs, so that it is there when the step is red, too.
 * A vocabulary of the field, not of any tool; renderers and merge-request comments know nothing else.
 */
export const TestReport = z.object({
  kind: z.literal("tests"),
  suite: z.string(),
  total: z.number(),
  passed: z.number(),
  failed: z.number(),
  skipped: z.number(),
  /** Wall time of the tests in seconds, as the JUnit files say. */
  seconds: z.number(),
  failures: z.array(z.object({ name: z.string(), message: z.string(), details: z.string().optional() })),
  /** Covered lines, 0–100. */
  coverage: z.number().optional(),
})
export const FindingsReport = z.object({
  kind: z.literal("findings"),
  tool: z.string(),
  /** How old the tool's knowledge is, e.g. "vulnerability database of 2026-11-20 (3 days old)". */
  basis: z.string().optional(),
  /** Number of findings by severity, highest first. */
  counts: z.record(z.string(), z.number()),
  /** The ones that matter, highest severity first; `blocking` ones broke the policy. */
  items: z.array(
    z.object({
      id: z.string(),
      severity: z.string(),
      title: z.string(),
      location: z.string(),
      fix: z.string().optional(),
      blocking: z.boolean(),
      /** Why it does not block: the exception's owner, reason and expiry. */
      exception: z.string().optional(),
    }),
  ),
})
export const QualityGateReport = z.object({
  kind: z.literal("quality-gate"),
  status: z.enum(["passed", "failed", "none"]),
  url: z.string().optional(),
  conditions: z.array(
    z.object({
      metric: z.string(),
      status: z.enum(["passed", "failed", "none"]),
      actual: z.string().optional(),
      threshold: z.string().optional(),
      comparator: z.string().optional(),
    }),
  ),
})
export const ImageReport = z.object({
  kind: z.literal("image"),
  reference: z.string(),
  digest: z.string(),
  /** Bytes of all layers, compressed. */
  size: z.number().optional(),
})
export const DeploymentReport = z.object({
  kind: z.literal("deployment"),
  environment: z.string(),
  service: z.string(),
  digest: z.string(),
  url: z.string(),
  replicas: z.number(),
  configHash: z.string(),
  /** Digest that ran before, to which a rollback would go. */
  previous: z.string().optional(),
  /** True when this release already ran there. */
  unchanged: z.boolean(),
})
export const ApprovalReport = z.object({
  kind: z.literal("approval"),
  decision: z.enum(["approved", "rejected"]),
  by: z.string(),
  reason: z.string(),
  at: z.string(),
  evidenceHash: z.string(),
})
/** What of one release was measured within one window of a rollout. */
const Measured = z.object({
  requests: z.number().optional(),
  /** Share of its answers that were 5xx, 0–1. */
  errors: z.number().optional(),
  /** Seconds. */
  latency: z.number().optional(),
})
export const RolloutReport = z.object({
  kind: z.literal("rollout"),
  environment: z.string(),
  service: z.string(),
  strategy: z.string(),
  /** Digest that ran before. */
  from: z.string().optional(),
  to: z.string(),
  outcome: z.enum(["done", "went back", "paused", "stranded"]),
  /** Oldest first. */
  samples: z.array(
    z.object({
      /** ISO 8601. */
      at: z.string(),
      /** Share of the new release in the traffic, 0–100, from this moment on. */
      percent: z.number(),
      /** Where this moment was measured as well. */
      canary: Measured.optional(),
      baseline: Measured.optional(),
      judgement: z.enum(["pass", "fail", "inconclusive"]).optional(),
    }),
  ),
  /** What happened, in words. */
  marks: z.array(z.object({ at: z.string(), text: z.string() })),
  /** Every metric of the last measurement, also those that decide nothing. */
  measures: z
    .array(
      z.object({
        metric: z.string(),
        /** "4.2 % of 812 requests, at most 1 %, before 0.1 %" */
        text: z.string(),
        judgement: z.enum(["pass", "fail", "inconclusive"]),
        dryRun: z.boolean(),
      }),
    )
    .optional(),
})
export const LinkReport = z.object({ kind: z.literal("link"), title: z.string(), url: z.string() })

export const Report = z.discriminatedUnion("kind", [
  TestReport,
  FindingsReport,
  QualityGateReport,
  ImageReport,
  DeploymentReport,
  ApprovalReport,
  RolloutReport,
  LinkReport,
])
export type Report = z.infer<typeof Report>
export type TestReport = z.infer<typeof TestReport>
export type FindingsReport = z.infer<typeof FindingsReport>
export type QualityGateReport = z.infer<typeof QualityGateReport>
export type RolloutReport = z.infer<typeof RolloutReport>
