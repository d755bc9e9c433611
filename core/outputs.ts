import { fault } from "./errors.js"
import type { AnyStep } from "./step.js"

/** The outputs that a step reads, by the names it gave its needs. Steps that did not run stand as undefined. */
export function gatherNeeds(s: AnyStep, output: (id: string) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(s.needs).map(([name, need]) => [
      name,
      isList(need) ? need.map((n) => output(n.id)) : output(need.id),
    ]),
  )
}

function isList(need: AnyStep | readonly AnyStep[]): need is readonly AnyStep[] {
  return Array.isArray(need)
}

/**
 * Checks an output against the step's schema: when it is written and again when it is read from a record.
 * @throws STEP-OUTPUT
 */
export function checkOutput(s: AnyStep, value: unknown): unknown {
  const schema = s.definition.output
  if (schema === undefined) return value === undefined ? undefined : JSON.parse(JSON.stringify(value))
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw fault({
    code: "STEP-OUTPUT",
    kind: "errored",
    message: `The output of ${s.id} is not what the step declares`,
    reason: issue === undefined ? parsed.error.message : `${issue.path.join(".") || "(the whole)"}: ${issue.message}`,
    hint: "If it comes from a record, start a new run; else the step's `run` and its `output` schema disagree.",
    cause: parsed.error,
  })
}
