import { z } from "zod"
import { int, label, quantity } from "./types.js"

export const Probe = z.string().regex(/^\/[^\s]*$/, "a path")

/**
 * Section 2.3 of the strategy document sizes the servers of every stage with two GiB to a core; the requests keep that
 * ratio. The memory limit leaves a JVM room beyond its heap.
 */
export const Resources = z.strictObject({
  requests: z
    .strictObject({ cpu: quantity.default("250m"), memory: quantity.default("512Mi") })
    .prefault({})
    .describe("What the scheduler reserves."),
  limits: z
    .strictObject({ cpu: quantity.default("1"), memory: quantity.default("1Gi") })
    .prefault({})
    .describe("What it may take."),
})

/** Numbers above 10000 belong to no user of a usual node. */
export const SecurityContext = z.strictObject({
  runAsUser: int(1, 2 ** 31 - 1).default(10001),
  runAsGroup: int(1, 2 ** 31 - 1).default(10001),
  fsGroup: int(1, 2 ** 31 - 1).default(10001),
})

export const Volume = z.strictObject({
  name: label,
  mountPath: z.string().regex(/^\/[^\s:]+$/),
  size: quantity,
  storageClass: z.string().optional().describe("Without: the cluster's default."),
})
