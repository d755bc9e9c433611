import { z } from "zod"

/** Replaces old instances by new ones, a few at a time (section 3.3.1 of the strategy document). */
export const RollingStrategy = z.strictObject({
  kind: z.literal("rolling"),
  /** Instances beyond `replicas` while it rolls. */
  maxSurge: z.number().int().min(0).default(1),
  /** Instances that may be missing from `replicas` while it rolls. 0: full capacity all the time. */
  maxUnavailable: z.number().int().min(0).default(0),
  /** How long an instance must have been ready before it counts. Seconds. */
  minReadySeconds: z.number().min(0).default(1),
  /** How long an instance that left the balancer may finish its requests. Seconds. */
  drainSeconds: z.number().min(0).default(10),
  /** Between SIGTERM and SIGKILL. Seconds. */
  graceSeconds: z.number().min(0).default(20),
  /** Without any progress for so long the deployment has failed, and goes back. Seconds. */
  progressDeadlineSeconds: z.number().positive().default(300),
})
export type RollingStrategy = z.infer<typeof RollingStrategy>

/** How traffic moves from one release to the next. Blue-green and canary become further members. */
export const Strategy = z.discriminatedUnion("kind", [RollingStrategy])
export type Strategy = z.infer<typeof Strategy>

const port = z.number().int().min(1024).max(65535)

/** An environment as a person writes it: its name is its key in `environments` of gantry.config.ts. */
export const EnvironmentSettings = z
  .strictObject({
    target: z.literal("docker").default("docker"),
    /** Instances of each service. */
    replicas: z.number().int().min(1).max(20).default(2),
    strategy: Strategy.default({ ...RollingStrategy.parse({ kind: "rolling" }) }),
    /** Which `application-<profile>.yml` of the config repository applies. Default: the name of the environment. */
    profile: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]*$/)
      .optional(),
    /** Port of the load balancer on 127.0.0.1, by service. Default: a free one, kept for as long as the Gantry home lives. */
    ports: z.record(z.string(), port).default({}),
    /** Limits of each instance: megabytes (2^20 bytes) and cores. */
    resources: z
      .strictObject({ memoryMB: z.number().int().min(16).optional(), cpus: z.number().positive().optional() })
      .default({}),
    /** Present: nothing is deployed there without a person's approval. */
    approvals: z
      .strictObject({
        /** How many different people, none of them the author. */
        required: z.number().int().min(1).default(1),
        /** Roles that may approve; empty: every approver. */
        roles: z.array(z.string()).default([]),
        /** An approval is void after so many hours. */
        expiresAfterHours: z.number().positive().default(24),
      })
      .optional(),
  })
  .refine((e) => e.strategy.maxSurge + e.strategy.maxUnavailable > 0, {
    path: ["strategy", "maxSurge"],
    message: "maxSurge and maxUnavailable are both 0: then no instance could ever be replaced",
  })
export type EnvironmentSettings = z.infer<typeof EnvironmentSettings>
export type EnvironmentInput = z.input<typeof EnvironmentSettings>

export const environmentName = z
  .string()
  .regex(/^[a-z][a-z0-9-]{0,19}$/, "lower-case letters, digits and - (at most 20)")

/** A place that releases run in: TEST, UAT, PROD. A value; what runs there is known by its target alone. */
export interface Environment extends EnvironmentSettings {
  readonly name: string
  readonly profile: string
}

/** Completes what a person wrote. @throws z.ZodError with the paths of the fields that are wrong */
export function environment(name: string, input: EnvironmentInput = {}): Environment {
  const settings = EnvironmentSettings.parse(input)
  return { ...settings, name: environmentName.parse(name), profile: settings.profile ?? name }
}

/**
 * The `environments` section of a configuration, as a zod schema: a record by name, in the order of promotion.
 * Without any: test, uat and prod, the last one behind an approval.
 */
export const Environments = z
  .record(environmentName, EnvironmentSettings)
  .default(() => ({
    test: EnvironmentSettings.parse({}),
    uat: EnvironmentSettings.parse({}),
    prod: EnvironmentSettings.parse({ replicas: 3, approvals: {} }),
  }))
  .transform((all): Readonly<Record<string, Environment>> =>
    Object.fromEntries(Object.entries(all).map(([name, e]) => [name, { ...e, name, profile: e.profile ?? name }])),
  )
