import { z } from "zod"

/** A path within the service's folder or beside it; never out of the project. */
const path = z.string().min(1)

/** How a service says that it brings its own objects: a chart, plain manifests or a Kustomize folder. */
export const OwnManifests = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("chart"),
    /** Folder with Chart.yaml. */
    path,
    /** Values files, the later one wins. */
    values: z.array(path).default([]),
  }),
  /** A file, or a folder whose .yaml, .yml and .json files are read; folders within it are not. */
  z.strictObject({ kind: z.literal("manifests"), path }),
  /** Folder with kustomization.yaml: the overlay of the environment. */
  z.strictObject({ kind: z.literal("kustomize"), path }),
])
export type OwnManifests = z.infer<typeof OwnManifests>
