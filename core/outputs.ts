import type { z } from "zod"
import { fault } from "./errors.js"
import type { AnyStep } from "./step.js"

/** The outputs that a step reads, by the names it gave its needs. Steps that did not run stand as undefined. */
export function gatherNeeds(s: AnyStep, output: (need: AnyStep) => unknown): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(s.needs).map(([name, need]) => [name, isList(need) ? need.map(output) : output(need)]),
  )
}

function isList(need: AnyStep | readonly AnyStep[]): need is readonly AnyStep[] {
  return Array.isArray(need)
}

/**
 * Checks an output against the step's schema: when it is written and again when it is read from a record. What comes out is
 * what a reader of the record gets: plain JSON.
 * @throws STEP-OUTPUT
 */
export function checkOutput(s: AnyStep, value: unknown): unknown {
  const schema = s.definition.output
  const json = plainJson(s, schema === undefined ? value : parse(s, schema, value))
  // Once more as a reader gets it: a Date, a Map or a transformed value would not survive the record.
  return schema === undefined || json === undefined ? json : parse(s, schema, json)
}

function parse(s: AnyStep, schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  throw badOutput(
    s,
    issue === undefined ? parsed.error.message : `${issue.path.join(".") || "(the whole)"}: ${issue.message}`,
    parsed.error,
  )
}

function plainJson(s: AnyStep, value: unknown): unknown {
  if (value === undefined) return undefined
  try {
    return JSON.parse(JSON.stringify(value)) as unknown
  } catch (cause) {
    throw badOutput(s, `It is not plain JSON: ${(cause as Error).message.split("\n")[0]}`, cause)
  }
}

function badOutput(s: AnyStep, reason: string, cause: unknown) {
  return fault({
    code: "STEP-OUTPUT",
    kind: "errored",
    message: `The output of ${s.id} is not what the step declares`,
    reason,
    hint: "If it comes from a record, start a new run; else the step's `run` and its `output` schema disagree.",
    cause,
  })
}
