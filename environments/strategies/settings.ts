import { z } from "zod"
import { Analysis } from "../analysis/settings.js"

const instances = {
  /** How long an instance must have been ready before it counts. Seconds. */
  minReadySeconds: z.number().min(0).default(1),
  /** How long an instance that left the balancer may finish its requests. Seconds. */
  drainSeconds: z.number().min(0).default(10),
  /** Between SIGTERM and SIGKILL. Seconds. */
  graceSeconds: z.number().min(0).default(20),
  /** Without any progress for so long the deployment has failed, and goes back. Seconds. */
  progressDeadlineSeconds: z.number().positive().default(300),
}

/** Replaces old instances by new ones, a few at a time (section 3.3.1 of the strategy document). */
export const RollingStrategy = z.strictObject({
  kind: z.literal("rolling"),
  /** Instances beyond `replicas` while it rolls. */
  maxSurge: z.number().int().min(0).default(1),
  /** Instances that may be missing from `replicas` while it rolls. 0: full capacity all the time. */
  maxUnavailable: z.number().int().min(0).default(0),
  ...instances,
})
export type RollingStrategy = z.infer<typeof RollingStrategy>

/**
 * How long a paused rollout is watched while nobody decides. Then the release before gets all traffic again, the new one
 * stays up, and the step ends as waiting. Seconds.
 */
const pauseSeconds = z.number().min(0).default(600)

/** A request that the new release must answer on the preview address before any user sees it. */
export const PreviewCheck = z.strictObject({
  path: z.string().startsWith("/"),
  status: z.number().int().default(200),
  /** The body must hold this text. */
  contains: z.string().optional(),
  /** Slower is a failure. Seconds. */
  withinSeconds: z.number().positive().default(5),
})
export type PreviewCheck = z.infer<typeof PreviewCheck>

/** Green beside blue at full size, then all traffic at once (section 3.3.2). */
export const BlueGreenStrategy = z.strictObject({
  kind: z.literal("blue-green"),
  /** Beside the readiness path, which is always asked. */
  checks: z.array(PreviewCheck).default([]),
  /** How often each check is made; all have to succeed. */
  checkTimes: z.number().int().positive().default(3),
  /** How long green is watched after the switch; what fails then switches back at once. 0: not at all. Seconds. */
  watchSeconds: z.number().min(0).default(0),
  analysis: Analysis.default(Analysis.parse({})),
  pauseSeconds,
  /** How long blue is kept for a switch back at once. Seconds. */
  keepSeconds: z.number().min(0).default(600),
  ...instances,
})
export type BlueGreenStrategy = z.infer<typeof BlueGreenStrategy>

/** Requests with this header reach the new release, whatever its share. */
const TesterHeader = z.strictObject({ name: z.string().regex(/^[A-Za-z0-9-]+$/), value: z.string().regex(/^[\w.-]+$/) })

export const CanaryStep = z.strictObject({
  /** Share of the traffic, above 0 up to 100; 0 with `testers`: only they see it. */
  percent: z.number().min(0).max(100),
  /** How long this share is held and judged. Seconds. */
  seconds: z.number().min(0).default(300),
  /** A person has to go on, whatever the figures say. */
  pause: z.boolean().default(false),
})
export type CanaryStep = z.infer<typeof CanaryStep>

/** A growing share of the traffic while the figures are good (section 3.3.3). */
export const CanaryStrategy = z.strictObject({
  kind: z.literal("canary"),
  /** 100 % follows by itself. */
  steps: z
    .array(CanaryStep)
    .min(1)
    .default([{ percent: 5 }, { percent: 25 }, { percent: 50 }].map((s) => CanaryStep.parse(s))),
  testers: TesterHeader.optional(),
  pauseSeconds,
  analysis: Analysis.default(Analysis.parse({})),
  ...instances,
})
export type CanaryStrategy = z.infer<typeof CanaryStrategy>

/** How traffic moves from one release to the next. */
export const Strategy = z.discriminatedUnion("kind", [RollingStrategy, BlueGreenStrategy, CanaryStrategy])
export type Strategy = z.infer<typeof Strategy>

export type JudgedStrategy = BlueGreenStrategy | CanaryStrategy

/** How a release gets there without judging: the first one of all, and any way back. All new instances at once, then the old ones go. */
export function plainly(strategy: Strategy, replicas: number): RollingStrategy {
  return strategy.kind === "rolling" ? strategy : swiftly(strategy, replicas)
}

/** The quick way of any strategy, for a way back: all new instances at once. */
export function swiftly(strategy: Strategy, replicas: number): RollingStrategy {
  const { minReadySeconds, drainSeconds, graceSeconds, progressDeadlineSeconds } = strategy
  const pace = { minReadySeconds, drainSeconds, graceSeconds, progressDeadlineSeconds }
  return { kind: "rolling", maxSurge: replicas, maxUnavailable: 0, ...pace }
}
