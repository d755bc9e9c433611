import { z } from "zod"

export const int = (min: number, max: number) => z.number().int().min(min).max(max)

/** A name of the DNS kind that Kubernetes takes for a Service (RFC 1035): letters, digits, dashes. */
export const label = z
  .string()
  .max(63)
  .regex(/^[a-z]([-a-z0-9]*[a-z0-9])?$/, "lower-case letters, digits and dashes, a letter first")

/** 3, or "25%". */
export const intOrPercent = z.union([int(0, 1000), z.string().regex(/^(100|[1-9]?[0-9])%$/)])

/** Kubernetes' quantities, in the forms that people write. */
export const quantity = z
  .string()
  .regex(/^[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$/, 'a quantity as in "250m", "1.5" or "512Mi"')

/** An image by digest: a tag names another image tomorrow. */
export const Image = z.strictObject({
  repository: z
    .string()
    .regex(/^[a-z0-9.-]+(:[0-9]+)?(\/[a-z0-9._-]+)+$/, "host/path, without a tag")
    .describe("Host and path, without a tag."),
  digest: z
    .string()
    .regex(/^sha256:[0-9a-f]{64}$/, "sha256: and 64 hex digits")
    .describe("sha256:…"),
})

/** Part of an object that Kubernetes itself checks. */
export const passThrough = z.record(z.string(), z.unknown())
