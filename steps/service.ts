import { z } from "zod"
import { Metrics } from "../environments/analysis/settings.js"

/**
 * How a folder declares that it is a service: `gantry.service.yaml`. Nothing about any language is built in; a service is
 * what its toolchain image and its commands are.
 */
const TestSuite = z.strictObject({
  /** Shell command, run in the toolchain image in the service's folder. */
  run: z.string(),
  /** Globs of JUnit XML files it leaves, relative to the service's folder. */
  junit: z.array(z.string()).min(1),
  /** LCOV or JaCoCo XML file it leaves. */
  coverage: z.string().optional(),
  /** Real dependencies beside it, by name: `db: mariadb` gives DB_HOST, DB_PORT, DB_NAME, DB_USER, DB_PASSWORD. */
  services: z.record(z.string(), z.enum(["mariadb"])).optional(),
  env: z.record(z.string(), z.string()).optional(),
  /** Globs of what later steps need of it (compiled classes for SonarQube), kept as one tar file. */
  keep: z.array(z.string()).default([]),
  /** Seconds. */
  timeout: z.number().positive().default(900),
})

const Migrations = z.strictObject({
  /** Shell command of the release's own image: it migrates and exits. Run again on the same schema it must change nothing. */
  run: z.string().min(1),
  /** Seconds; then it is stopped and has failed. */
  timeout: z.number().positive().default(300),
  /** Globs of what it applies, relative to the service's folder: the same files are not applied twice. Without: the image. */
  files: z.array(z.string()).default([]),
  /** false: the release before cannot work on the new schema. Then only blue-green takes it, and there is no way back. */
  compatible: z.boolean().default(true),
})

export const ServiceDeclaration = z
  .strictObject({
    name: z.string().regex(/^[a-z][a-z0-9-]*$/, "lower-case letters, digits and -"),
    toolchain: z.strictObject({
      /** Public name of the image; a mirror or an image made from packages may stand in for it. */
      image: z.string(),
      /** Folders kept between runs, separate for each content of the key files (lock files). */
      caches: z
        .array(
          z.strictObject({
            path: z.string(),
            key: z.array(z.string()).default([]),
            /** `locked` one container at a time · `shared` several at once, for tools that can (npm) · `private` each its own. */
            sharing: z.enum(["locked", "shared", "private"]).default("locked"),
          }),
        )
        .default([]),
      /** Runs before the tests' commands, e.g. `npm ci`. */
      setup: z.string().optional(),
      env: z.record(z.string(), z.string()).default({}),
    }),
    /** What belongs to the service besides its folder: globs from the project's root (shared libraries). */
    inputs: z.array(z.string()).default([]),
    build: z.strictObject({
      dockerfile: z.string().default("Dockerfile"),
      target: z.string().optional(),
      args: z.record(z.string(), z.string()).default({}),
      /** Port that the service listens on. */
      port: z.number().int().positive().default(8080),
      /** Compressed size above which the build fails. Megabytes (10^6 bytes). */
      sizeBudgetMB: z.number().positive().optional(),
    }),
    tests: z
      .strictObject({
        unit: TestSuite.optional(),
        integration: TestSuite.optional(),
        acceptance: TestSuite.optional(),
      })
      .default({}),
    sonar: z
      .strictObject({
        sources: z.array(z.string()).default(["src"]),
        tests: z.array(z.string()).default([]),
        properties: z.record(z.string(), z.string()).default({}),
      })
      .optional(),
    health: z.strictObject({
      /** Answers 200 when the instance may get traffic. */
      readiness: z.string().default("/ready"),
      liveness: z.string().default("/health"),
      /** Answers JSON with `commit`. */
      version: z.string().optional(),
      /** Seconds that an instance may take to become ready. */
      startupTimeout: z.number().positive().default(90),
    }),
    /** Path at which each instance answers its figures in Prometheus' format. Without: judged by the balancer's alone. */
    metrics: z.string().startsWith("/").optional(),
    /** By what a release of this service is judged besides the environment's metrics, where a strategy judges. */
    analysis: z.strictObject({ metrics: Metrics.default({}) }).default({ metrics: {} }),
    /** Folder in the config repository. Default `service-<name>`. */
    config: z.string().optional(),
    database: z.enum(["mariadb"]).optional(),
    /** What brings its database to what a release needs, before any instance of it starts. */
    migrations: Migrations.optional(),
    /** Services it calls: each gives `<NAME>_URL`, the load balancer of that service in the same environment. */
    calls: z.array(z.string()).default([]),
    env: z.record(z.string(), z.string()).default({}),
  })
  .refine((service) => service.migrations === undefined || service.database !== undefined, {
    path: ["migrations"],
    message: "there is no `database` that could be migrated",
  })
export type ServiceDeclaration = z.infer<typeof ServiceDeclaration>
export type TestSuite = z.infer<typeof TestSuite>

/** A declared service and where it lies. */
export interface Service extends ServiceDeclaration {
  /** Folder, relative to the project's root, with forward slashes. */
  readonly path: string
  /** Services of the project that call it: also those that are not delivered today. */
  readonly callers?: readonly string[]
}
