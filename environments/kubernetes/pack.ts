import { gunzipSync, gzipSync } from "node:zlib"
import { z } from "zod"
import { canonicalJson, parseJson } from "../../core/json.js"
import type { Secret } from "./kinds.js"
import type { KubernetesObject } from "./object.js"

/** Of the data of a Secret, in bytes: https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size */
export const mostBytes = 1_048_576

/** Objects as they were rendered, read again. */
export const KeptObjects = z
  .array(z.looseObject({ apiVersion: z.string(), kind: z.string() }))
  .transform((objects) => objects as unknown as readonly KubernetesObject[])

/** JSON as a Secret keeps it. `bytes` is what counts against `mostBytes`. */
export function packed(value: unknown): { readonly bytes: number; readonly base64: string } {
  const zipped = gzipSync(canonicalJson(value))
  return { bytes: zipped.length, base64: zipped.toString("base64") }
}

/** What was packed under this key; undefined when it is not there or cannot be read. */
export function unpacked(secret: Secret | undefined, key: string): unknown {
  try {
    return parseJson(gunzipSync(Buffer.from(secret?.data?.[key] ?? "", "base64")).toString("utf8"))
  } catch {
    return undefined
  }
}
