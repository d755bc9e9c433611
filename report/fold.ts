import type { RunEvent, Stamped } from "../core/events.js"
import type { RunRecord } from "../core/record.js"
import { applyEvent, emptyState, type RunState } from "../core/fold.js"

/** What a renderer knows about the run: the events so far, and the last lines of the logs of steps that are under way. */
export interface Fold {
  readonly state: RunState
  apply(event: Stamped<RunEvent>): void
  /** Last lines of a step's log, oldest first. */
  tail(step: string): readonly string[]
  /** The tails of steps that went red, kept for the end. */
  readonly redTails: ReadonlyMap<string, readonly string[]>
}

/** Lines of a log that are kept for the case that its step goes red. */
export const tailLength = 12

/**
 * @param record The run as an earlier process left it, for a resumed run. It is copied.
 */
export function createFold(record?: RunRecord): Fold {
  const state = emptyState()
  if (record !== undefined) {
    state.record = structuredClone(record)
    for (const step of state.record.steps) state.index.set(step.id, step)
  }
  const tails = new Map<string, string[]>()
  const redTails = new Map<string, readonly string[]>()
  return {
    state,
    redTails,
    apply(event) {
      if (event.type === "step-logged") {
        const tail = tails.get(event.step) ?? []
        tail.push(event.line)
        if (tail.length > tailLength) tail.shift()
        tails.set(event.step, tail)
        return
      }
      if (event.type === "step-started") tails.delete(event.step)
      if (event.type === "step-finished") {
        if (event.status === "failed" || event.status === "errored")
          redTails.set(event.step, tails.get(event.step) ?? [])
        tails.delete(event.step)
      }
      applyEvent(state, event)
    },
    tail: (step) => tails.get(step) ?? redTails.get(step) ?? [],
  }
}
