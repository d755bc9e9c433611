import { z } from "zod"

/** Names of the fields that a schema knows at a path; none where it is no object. */
export function knownFields(schema: z.ZodType, path: readonly PropertyKey[]): readonly string[] {
  let at: unknown = schema
  for (const key of path) {
    const inner = unwrap(at)
    if (inner instanceof z.ZodObject) at = (inner.shape as Record<string, unknown>)[String(key)]
    else if (inner instanceof z.ZodRecord) at = inner.valueType
    else if (inner instanceof z.ZodArray) at = inner.element
    else return []
  }
  const found = unwrap(at)
  if (found instanceof z.ZodObject) return Object.keys(found.shape)
  if (found instanceof z.ZodDiscriminatedUnion) {
    return [
      ...new Set(found.options.flatMap((option) => (option instanceof z.ZodObject ? Object.keys(option.shape) : []))),
    ]
  }
  return []
}

/** The schema without defaults, `optional` and what is done with its output. */
function unwrap(schema: unknown): unknown {
  for (let s = schema; ;) {
    if (
      s instanceof z.ZodDefault ||
      s instanceof z.ZodPrefault ||
      s instanceof z.ZodOptional ||
      s instanceof z.ZodNullable
    ) {
      s = s.unwrap()
    } else if (s instanceof z.ZodPipe) s = s.in
    else return s
  }
}
