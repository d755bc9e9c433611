import type { RunEvent, Stamped, StepNode } from "./events.js"
import { needsAnotherRun, type RunRecord, type StepRecord } from "./record.js"

/** A run as it grows: the fold of its events. Mutable on purpose (1,000 steps, several events each), never handed out. */
export interface RunState {
  record: RunRecord | undefined
  readonly index: Map<string, StepRecord>
}

export const emptyState = (): RunState => ({ record: undefined, index: new Map() })

/** The record of a step that nothing has happened to. */
export function pendingRecord(node: StepNode): StepRecord {
  return {
    ...node,
    needs: [...node.needs],
    status: "pending",
    attempts: 0,
    cached: false,
    artifacts: [],
    reports: [],
  }
}

/** Adds one event. The journal is the truth; `run.json` and `result.json` are what this makes of it. */
export function applyEvent(state: RunState, event: Stamped<RunEvent>): void {
  if (event.type === "run-started") {
    const steps = event.steps.map(pendingRecord)
    state.record = {
      schema: 1,
      id: event.run,
      pipeline: event.pipeline,
      service: event.services.length === 1 ? (event.services[0] ?? null) : null,
      services: [...event.services],
      commit: event.commit,
      dirty: event.dirty,
      selection: event.selection as RunRecord["selection"],
      facts: event.facts as RunRecord["facts"],
      status: "running",
      startedAt: event.at,
      steps,
    }
    for (const s of steps) state.index.set(s.id, s)
    return
  }
  const record = state.record
  if (record === undefined) return
  if (event.type === "run-resumed") {
    record.status = "running"
    delete record.finishedAt
    delete record.error
    for (const s of record.steps) if (needsAnotherRun(s)) reset(s)
    return
  }
  if (event.type === "run-finished") {
    record.status = event.status
    record.finishedAt = event.at
    if (event.error !== undefined) record.error = event.error as NonNullable<RunRecord["error"]>
    return
  }
  const s = state.index.get(event.step)
  if (s === undefined) return
  switch (event.type) {
    case "step-started":
      s.status = "running"
      s.startedAt ??= event.at
      s.attempts += 1
      s.reports = []
      s.artifacts = []
      return
    case "effect-started":
      s.effect = event.key
      return
    case "step-reported":
      s.reports.push(event.report)
      return
    case "artifact-kept":
      s.artifacts = [...s.artifacts.filter((a) => a.path !== event.artifact.path), event.artifact]
      return
    case "step-finished":
      s.status = event.status
      s.finishedAt = event.at
      s.startedAt ??= event.at
      s.cached = event.cached
      if (event.output !== undefined) s.output = event.output as NonNullable<StepRecord["output"]>
      if (event.error !== undefined) s.error = event.error as NonNullable<RunRecord["error"]>
      if (event.reason !== undefined) s.reason = event.reason
      if (event.fingerprint !== undefined) s.fingerprint = event.fingerprint
      if (event.status === "success") delete s.effect
      return
    case "step-imported":
      takeOver(s, event.record)
      return
    case "step-retried":
    case "step-logged":
      return
    default:
      return event satisfies never
  }
}

/** The graph is this run's own; what became of the step comes from the record. The object stays: others hold it. */
function takeOver(s: StepRecord, record: StepRecord): void {
  const { id, kind, needs } = s
  for (const field of Object.keys(s)) delete (s as Partial<StepRecord>)[field as keyof StepRecord]
  Object.assign(s, structuredClone(record), { id, kind, needs })
}

/** Back to pending. What an effect may have done is not forgotten. */
function reset(s: StepRecord): void {
  s.status = "pending"
  s.reports = []
  s.artifacts = []
  for (const field of ["startedAt", "finishedAt", "error", "reason", "output"] as const) delete s[field]
}
