import type { RunEvent } from "./events.js"
import type { Masker } from "./mask.js"
import type { StepRecord } from "./record.js"

/** Members that hold one of a few fixed words: a secret that is such a word must not make a record unreadable. */
const fixed: ReadonlySet<string> = new Set(["kind", "status", "decision", "code", "sha256"])

/**
 * Masks what steps, tools and people put into an event. What the run itself is made of (types, ids, states, hashes, paths)
 * stays: a weak secret such as "test" must not rename the steps in whose names it occurs.
 */
export function maskEvent(event: RunEvent, masker: Masker): RunEvent {
  switch (event.type) {
    case "run-started":
      return { ...event, facts: masker.json(event.facts) }
    case "effect-started":
      return { ...event, key: masker.text(event.key) }
    case "step-retried":
      return { ...event, error: masker.json(event.error, fixed) }
    case "step-reported":
      return { ...event, report: masker.json(event.report, fixed) }
    case "step-finished":
      return {
        ...event,
        ...(event.output === undefined ? {} : { output: masker.json(event.output) }),
        ...(event.error === undefined ? {} : { error: masker.json(event.error, fixed) }),
        ...(event.reason === undefined ? {} : { reason: masker.text(event.reason) }),
      }
    case "step-imported":
      return { ...event, record: maskRecord(event.record, masker) }
    case "run-finished":
      return { ...event, ...(event.error === undefined ? {} : { error: masker.json(event.error, fixed) }) }
    case "step-logged":
      return { ...event, line: masker.text(event.line) }
    case "run-resumed":
    case "step-started":
    case "artifact-kept":
      return event
    default:
      return event satisfies never
  }
}

/** The secrets of the job that made a record need not be those of the one that takes it over. */
function maskRecord(record: StepRecord, masker: Masker): StepRecord {
  const { output, error, reason, effect } = record
  return {
    ...record,
    reports: masker.json(record.reports, fixed),
    ...(output === undefined ? {} : { output: masker.json(output) }),
    ...(error === undefined ? {} : { error: masker.json(error, fixed) }),
    ...(reason === undefined ? {} : { reason: masker.text(reason) }),
    ...(effect === undefined ? {} : { effect: masker.text(effect) }),
  }
}
