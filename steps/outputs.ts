import { z } from "zod"
import { Artifact } from "../core/artifacts.js"

/** What steps hand to each other: plain JSON, validated when written and when read in another process. */

/** The exact tree that is delivered. Its files lie in `<run>/source`; `materialise` makes them again where they are missing. */
export const Source = z.object({
  commit: z.string(),
  /** Git tree hash: of the commit, or of the snapshot of the work tree when `dirty`. */
  tree: z.string(),
  dirty: z.boolean(),
  author: z.object({ name: z.string(), email: z.string() }),
  /** Author date, ISO 8601. */
  date: z.string(),
  /** First line of the commit message. */
  subject: z.string(),
  branch: z.string().optional(),
  /** Origin's address without credentials, for the label org.opencontainers.image.source. */
  origin: z.string().optional(),
  /** Files that differ from the first parent (or from the target branch of a merge request). */
  changed: z.array(z.string()),
  /** Hash over the declared inputs of each service: what its pure steps depend on instead of the whole commit. */
  services: z.record(z.string(), z.string()),
})
export type Source = z.infer<typeof Source>

export const TestResult = z.object({
  /** `<service>.<step>`, e.g. "catalog.unit-tests". */
  suite: z.string(),
  total: z.number(),
  passed: z.number(),
  failed: z.number(),
  skipped: z.number(),
  seconds: z.number(),
  coverage: z.number().optional(),
  /** JUnit files and coverage reports, as they came out of the container. */
  junit: z.array(Artifact),
  coverageReports: z.array(Artifact),
  /** Tar file of what the suite declares to `keep`, names relative to the service's folder. */
  kept: Artifact.optional(),
})
export type TestResult = z.infer<typeof TestResult>

export const QualityGate = z.object({
  service: z.string(),
  status: z.enum(["passed", "none"]),
  project: z.string(),
  analysisId: z.string(),
  url: z.string(),
})
export type QualityGate = z.infer<typeof QualityGate>

export const BuiltImage = z.object({
  service: z.string(),
  /** Manifest digest inside the archive: the one that is scanned, pushed and deployed. */
  digest: z.string(),
  archive: Artifact,
  /** Bytes of the compressed layers. */
  size: z.number(),
  labels: z.record(z.string(), z.string()),
})
export type BuiltImage = z.infer<typeof BuiltImage>

export const Scan = z.object({
  digest: z.string(),
  counts: z.record(z.string(), z.number()),
  exceptions: z.number(),
  /** When the vulnerability database was made, ISO 8601; a dated subset says so in `databaseNote`. */
  databaseUpdatedAt: z.string().optional(),
  databaseNote: z.string().optional(),
  reports: z.object({ json: Artifact, sarif: Artifact, table: Artifact, sbom: Artifact }),
})
export type Scan = z.infer<typeof Scan>

/** An image in the registry. Deployed by `reference`, which names the digest. */
export const Release = z.object({
  service: z.string(),
  /** host/project/service@sha256:… */
  reference: z.string(),
  /** host/project/service:sha-<commit> */
  tag: z.string(),
  digest: z.string(),
  commit: z.string(),
})
export type Release = z.infer<typeof Release>

export const Deployment = z.object({
  environment: z.string(),
  service: z.string(),
  digest: z.string(),
  commit: z.string(),
  /** Base URL of the service behind the environment's load balancer, as the host reaches it. */
  url: z.string(),
  replicas: z.number(),
  configHash: z.string(),
  /** Reference that ran before, to which a rollback would go. */
  previous: z.string().optional(),
  /** True when this very release already ran there: nothing was touched. */
  unchanged: z.boolean(),
})
export type Deployment = z.infer<typeof Deployment>

export const Migration = z.object({
  environment: z.string(),
  service: z.string(),
  /** The release whose image ran it. */
  digest: z.string(),
  /** Command, and hash over what it applied. */
  run: z.string(),
  content: z.string(),
  /** The release before keeps working on the new schema. */
  compatible: z.boolean(),
  /** False: the environment's database had it already. */
  applied: z.boolean(),
  /** When it had been applied, ISO 8601. */
  at: z.string(),
})
export type Migration = z.infer<typeof Migration>

/** What an environment's services depend on, as it was brought. */
export const Dependencies = z.object({
  environment: z.string(),
  dependencies: z.array(
    z.object({
      name: z.string(),
      /** What it is made of: chart, oci, manifests, kustomize. */
      kind: z.string(),
      hash: z.string(),
      /** False: it was there as declared, and ready. */
      changed: z.boolean(),
    }),
  ),
})
export type Dependencies = z.infer<typeof Dependencies>

export const Approval = z.object({
  decision: z.literal("approved"),
  by: z.string(),
  reason: z.string(),
  at: z.string(),
  expiresAt: z.string(),
  /** SHA-256 over the canonical JSON of the evidence that was approved. */
  evidenceHash: z.string(),
})
export type Approval = z.infer<typeof Approval>
