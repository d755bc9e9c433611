import { z } from "zod"
import { label, passThrough } from "../values/types.js"

/** From the project's folder, as the delivered commit has it; never out of it. */
const path = z.string().min(1)

/** A field of an object that tells when it is ready, where its conditions do not. */
export const Expectation = z.strictObject({
  /** Of the object: "RedisFailover". */
  kind: z.string().min(1),
  /** Without: of every object of that kind. */
  name: z.string().optional(),
  /** Path of the field: "status.cluster.status". */
  field: z.string().regex(/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/, "names with dots between them: status.phase"),
  is: z.union([z.string(), z.number(), z.boolean()]),
})
export type Expectation = z.infer<typeof Expectation>

/** What all dependencies say, whatever they are made of. */
const common = {
  /** Who reaches it. Default: every service of the project. */
  services: z.array(label).optional(),
  /** At which ports. Default: any. */
  ports: z.array(z.number().int().min(1).max(65_535)).default([]),
  /**
   * Labels of its pods, where an operator makes them: whom the network policies are about. Several values: any of them, for
   * an operator labels what belongs together differently.
   */
  pods: z.record(z.string(), z.union([z.string(), z.array(z.string()).min(1)])).default({}),
  ready: z.array(Expectation).default([]),
  /** How long it may take to become ready: volumes are made, replicas copy data. Seconds. */
  waitSeconds: z.number().int().min(1).default(600),
  /** Namespaces that reach it, too: of its operator, of a backup. */
  from: z.array(label).default([]),
  /** Its own further ways out, as in a NetworkPolicy: to the API server, to where backups go. */
  egress: z.array(passThrough).default([]),
} as const

/**
 * MySQL, Redis, RocketMQ: something stateful that belongs to an environment, not to one service. What it consists of is the
 * affair of a chart, of manifests or of an operator's own kinds.
 */
export const Dependency = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("chart"),
    /** Folder with Chart.yaml, or a packed chart. */
    path,
    /** Values files, the later one wins. */
    values: z.array(path).default([]),
    ...common,
  }),
  /** A chart of a registry, by digest: a version can be pushed again. */
  z.strictObject({
    kind: z.literal("oci"),
    /** Without oci:// and version: "harbor.example.com/charts/mysql". */
    chart: z.string().regex(/^[^/\s@]+(\/[^/\s:@]+)+$/, "host/path/name, without a scheme, a version or a digest"),
    version: z.string().min(1),
    digest: z.string().regex(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 hexadecimal digits"),
    values: z.array(path).default([]),
    ...common,
  }),
  /** A file, or a folder whose .yaml, .yml and .json files are read: also kinds of an operator. */
  z.strictObject({ kind: z.literal("manifests"), path, ...common }),
  /** Folder with kustomization.yaml. */
  z.strictObject({ kind: z.literal("kustomize"), path, ...common }),
])
export type Dependency = z.infer<typeof Dependency>

/** By name; the name is the chart's release. In the order in which they are brought. */
export const Dependencies = z.record(label, Dependency).default({})
