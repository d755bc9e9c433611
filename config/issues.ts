import type { z } from "zod"
import { fault, type Fault } from "../core/errors.js"
import { nearest } from "../core/suggest.js"
import { knownFields } from "./fields.js"

/** What is wrong with one field. */
export interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

/** Finds the line of a field in a file (1 is the first). */
export type LineOf = (path: readonly PropertyKey[]) => number | undefined

/** Turns what zod found into an error that names file, line and field. */
export function configFault(file: string, schema: z.ZodType, error: z.ZodError, line: LineOf): Fault {
  return issuesFault(
    file,
    error.issues.flatMap((issue) => flatten(issue, [], schema)),
    line,
    error,
  )
}

/** An error about fields of a file. */
export function issuesFault(file: string, issues: readonly Issue[], line: LineOf, cause?: unknown): Fault {
  const texts = issues.map((issue) => {
    const field = fieldName(issue.path)
    const at = line(issue.path)
    return `${file}${at === undefined ? "" : `:${at}`}: ${field === "" ? "" : `${field}: `}${issue.message}`
  })
  return fault({
    code: "CONFIG-INVALID",
    kind: "usage",
    message: texts[0] ?? `${file} is not valid`,
    reason: texts.length > 1 ? `Also:\n${texts.slice(1).join("\n")}` : undefined,
    hint: "Correct the field; docs/configuration.md lists all of them with their defaults.",
    cause,
  })
}

/** `approvers[1].email`, as one would write it. */
function fieldName(path: readonly PropertyKey[]): string {
  return path.map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`)).join("")
}

/** One issue a field: zod gives one for several unknown keys, and hides what is wrong inside keys and alternatives. */
function flatten(issue: z.core.$ZodIssue, above: readonly PropertyKey[], schema: z.ZodType): Issue[] {
  const path = [...above, ...issue.path]
  switch (issue.code) {
    case "unrecognized_keys": {
      const known = knownFields(schema, path)
      return issue.keys.map((key) => {
        const near = nearest(key, known)
        const text = near === undefined ? `; fields are: ${known.join(", ")}` : `; did you mean "${near}"?`
        return { path: [...path, key], message: `there is no such field${known.length === 0 ? "" : text}` }
      })
    }
    case "invalid_key":
      return issue.issues.map((inner) => ({ path, message: `not a name: ${inner.message}` }))
    case "invalid_element":
      return issue.issues.flatMap((inner) => flatten(inner, path, schema))
    case "invalid_union": {
      const [first] = issue.errors
      return first === undefined
        ? [{ path, message: issue.message }]
        : first.flatMap((inner) => flatten(inner, path, schema))
    }
    case "invalid_type":
      // "Invalid input: expected string, received undefined" is how zod says that something is missing.
      return [
        {
          path,
          message:
            issue.input === undefined && /received undefined$/.test(issue.message)
              ? `is missing (${issue.expected})`
              : issue.message,
        },
      ]
    default:
      return [{ path, message: issue.message }]
  }
}
