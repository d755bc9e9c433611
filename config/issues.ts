import type { z } from "zod"
import { fault, type Fault } from "../core/errors.js"

/**
 * Turns what zod found into an error that names file, line and field.
 * @param line finds the line of a field in the file
 */
export function configFault(
  file: string,
  error: z.ZodError,
  line: (path: readonly PropertyKey[]) => number | undefined,
): Fault {
  const texts = error.issues.flatMap(flatten).map((issue) => {
    const path = issue.path.map(String).join(".")
    const at = line(issue.path)
    return `${file}${at === undefined ? "" : `:${at}`}: ${path === "" ? "" : `${path}: `}${issue.message}`
  })
  return fault({
    code: "CONFIG-INVALID",
    kind: "usage",
    message: texts[0] ?? `${file} is not valid`,
    reason: texts.length > 1 ? `Also: ${texts.slice(1).join("; ")}` : undefined,
    hint: "Correct the field; docs/configuration.md lists all of them with their defaults.",
    cause: error,
  })
}

/** Unknown keys are one issue about the parent; a person looks for the key itself. */
function flatten(issue: z.core.$ZodIssue): { path: readonly PropertyKey[]; message: string }[] {
  if (issue.code !== "unrecognized_keys") return [issue]
  return issue.keys.map((key) => ({ path: [...issue.path, key], message: "there is no such field" }))
}
