import { z } from "zod"
import { Artifact } from "./artifacts.js"
import type { RunEvent, Stamped, StepNode } from "./events.js"
import { Report } from "./reports.js"

export const ErrorSchema = z.object({
  code: z.string(),
  kind: z.enum(["failed", "errored", "usage", "waiting", "cancelled"]),
  message: z.string(),
  reason: z.string().optional(),
  hint: z.string().optional(),
  stack: z.string().optional(),
})

export const StepRecord = z.object({
  id: z.string(),
  kind: z.enum(["pure", "effect", "gate"]),
  status: z.enum(["pending", "running", "success", "failed", "errored", "skipped", "cancelled", "waiting"]),
  needs: z.array(z.string()),
  stage: z.string().optional(),
  service: z.string().optional(),
  environment: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  attempts: z.number().int(),
  cached: z.boolean(),
  /** Why it was skipped, or how it was settled after a crash. */
  reason: z.string().optional(),
  fingerprint: z.string().optional(),
  /** Key of the effect that was started and whose end is not known yet. */
  effect: z.string().optional(),
  output: z.json().optional(),
  artifacts: z.array(Artifact),
  reports: z.array(Report),
  error: ErrorSchema.optional(),
})
export type StepRecord = z.infer<typeof StepRecord>

/** `run.json`: the interface for everything that reads runs. `schema` rises when a reader would break. */
export const RunRecord = z.object({
  schema: z.literal(1),
  id: z.string(),
  pipeline: z.string(),
  /** The one service that is delivered, or null when there are several: then `services` lists them. */
  service: z.string().nullable(),
  services: z.array(z.string()),
  commit: z.string(),
  dirty: z.boolean(),
  selection: z.object({
    services: z.array(z.string()).optional(),
    until: z.string().optional(),
    only: z.string().optional(),
  }),
  /** Branch, tag, merge request … as they were when the run began. */
  facts: z.record(z.string(), z.json()),
  status: z.enum(["running", "success", "failed", "errored", "cancelled", "waiting"]),
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  error: ErrorSchema.optional(),
  steps: z.array(StepRecord),
})
export type RunRecord = z.infer<typeof RunRecord>

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
    if (event.error !== undefined) record.error = event.error as z.infer<typeof ErrorSchema>
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
      if (event.error !== undefined) s.error = event.error as z.infer<typeof ErrorSchema>
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

const blocked = "not run: "

/** The reason of a step that was skipped because of what stands before it. @param by e.g. "catalog.scan failed" */
export const blockedReason = (by: string): string => blocked + by

/** What kept a skipped step from running; undefined when it was skipped by its condition (or not at all). */
export function isBlocked(s: StepRecord): string | undefined {
  return s.status === "skipped" && s.reason?.startsWith(blocked) === true ? s.reason.slice(blocked.length) : undefined
}

/** Whether a step was done (again) after another one, which read its output, had begun. */
export function finishedAfter(before: StepRecord, s: StepRecord): boolean {
  if (before.status === "skipped") return false
  return Date.parse(before.finishedAt ?? "") > Date.parse(s.startedAt ?? "")
}

/** Success stays, and so does a skip by condition; all else is tried again by `gantry resume`. */
export function needsAnotherRun(s: StepRecord): boolean {
  return s.status !== "success" && (s.status !== "skipped" || isBlocked(s) !== undefined)
}

/** Back to pending. What an effect may have done is not forgotten. */
function reset(s: StepRecord): void {
  s.status = "pending"
  s.reports = []
  s.artifacts = []
  for (const field of ["startedAt", "finishedAt", "error", "reason", "output"] as const) delete s[field]
}
