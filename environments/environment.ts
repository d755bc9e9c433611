import { z } from "zod"
import { KubernetesSettings } from "./kubernetes/settings.js"
import { RollingStrategy, Strategy } from "./strategies/settings.js"

/** The kinds of places that environments can be in. */
export const targetNames = ["docker", "kubernetes"] as const
export type TargetName = (typeof targetNames)[number]

const port = z.number().int().min(1024).max(65535)

/** An environment as a person writes it: its name is its key in `environments` of gantry.config.ts. */
export const EnvironmentSettings = z
  .strictObject({
    /** Where it runs: containers of the local Docker Engine, or a namespace of a Kubernetes cluster. */
    target: z.enum(targetNames).default("docker"),
    /** The cluster, where the target is kubernetes. */
    kubernetes: KubernetesSettings.default(() => KubernetesSettings.parse({})),
    /** Instances of each service. */
    replicas: z.number().int().min(1).max(20).default(2),
    strategy: Strategy.default(RollingStrategy.parse({ kind: "rolling" })),
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
    /** Keeps a Prometheus also where no strategy asks it: canary does, and blue-green with `watchSeconds`. */
    metrics: z.boolean().default(false),
    /** A Prometheus of one's own in place of Gantry's. It scrapes this environment alone: docs/analysis.md. */
    prometheus: z.strictObject({ url: z.url() }).optional(),
    /** Releases before the current one that the registry is told to keep for a rollback. */
    keepReleases: z.number().int().min(1).max(15).default(3),
    /** Where people approve: whether a release goes there also when the one before could not be brought back. */
    wayBack: z.enum(["required", "warn"]).default("required"),
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
  .refine(({ strategy: s }) => s.kind !== "rolling" || s.maxSurge + s.maxUnavailable > 0, {
    path: ["strategy", "maxSurge"],
    message: "maxSurge and maxUnavailable are both 0: then no instance could ever be replaced",
  })
  .superRefine(({ target, strategy, kubernetes }, context) => {
    if (target !== "kubernetes" || strategy.kind === "rolling") return
    for (const [service, { own }] of Object.entries(kubernetes.services)) {
      if (own === undefined) continue
      const message = `own objects are rolled, never ${strategy.kind}: two tracks and a route between them has Gantry's chart alone`
      context.addIssue({ code: "custom", path: ["kubernetes", "services", service, "own"], message })
    }
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
