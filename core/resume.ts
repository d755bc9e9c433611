import { fault } from "./errors.js"
import { nodeOf } from "./plan.js"
import type { RunRecord } from "./record.js"
import type { AnyStep } from "./step.js"

/**
 * A run goes on only with the graph it began with: with another one, what is recorded would not mean what it says (a gate
 * that is gone, a step whose inputs are others).
 * @throws RUN-PIPELINE-CHANGED, saying what differs
 */
export function checkSamePipeline(record: RunRecord, steps: readonly AnyStep[]): void {
  const recorded = new Map(record.steps.map((s) => [s.id, edges(s.kind, s.needs)]))
  const now = new Map(steps.map(nodeOf).map((s) => [s.id, edges(s.kind, s.needs)]))
  const differences = [
    ...[...now.keys()].filter((id) => !recorded.has(id)).map((id) => `${id} is new`),
    ...[...recorded.keys()].filter((id) => !now.has(id)).map((id) => `${id} is gone`),
    ...[...now].filter(([id, e]) => recorded.has(id) && recorded.get(id) !== e).map(([id]) => `${id} has other needs`),
  ]
  if (differences.length === 0) return
  const shown = differences.slice(0, 8)
  throw fault({
    code: "RUN-PIPELINE-CHANGED",
    kind: "usage",
    message: `Run ${record.id} was made by another version of the pipeline`,
    reason:
      shown.join(", ") + (differences.length > shown.length ? `, and ${differences.length - shown.length} more` : ""),
    hint: "Start a new run; what is unchanged comes from the cache.",
  })
}

const edges = (kind: string, needs: readonly string[]) => `${kind} ${[...needs].sort().join(" ")}`
