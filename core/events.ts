import type { Artifact } from "./artifacts.js"
import type { ErrorRecord } from "./errors.js"
import type { StepRecord } from "./record.js"
import type { Report } from "./reports.js"
import type { StepKind } from "./step.js"

/** How a step ended, or stands. `failed`: the work said no. `errored`: infrastructure. Never mixed. */
export type StepStatus = "pending" | "running" | "success" | "failed" | "errored" | "skipped" | "cancelled" | "waiting"
export type RunStatus = "running" | "success" | "failed" | "errored" | "cancelled" | "waiting"

/** A step of the graph as the record and the renderers see it. */
export interface StepNode {
  readonly id: string
  readonly kind: StepKind
  /** Ids of the steps before it, data and order. */
  readonly needs: readonly string[]
  readonly stage?: string | undefined
  readonly service?: string | undefined
  readonly environment?: string | undefined
}

/** The run exists: written once, before anything else. */
export interface RunStarted {
  readonly type: "run-started"
  readonly run: string
  readonly pipeline: string
  readonly services: readonly string[]
  readonly commit: string
  readonly dirty: boolean
  readonly selection: Selection
  readonly facts: Record<string, unknown>
  readonly steps: readonly StepNode[]
}
/** What of the pipeline a run covers; a resume covers the same. */
export interface Selection {
  readonly services?: readonly string[] | undefined
  readonly until?: string | undefined
  readonly only?: string | undefined
}
/** A further process took the run over. */
export interface RunResumed {
  readonly type: "run-resumed"
}
export interface StepStarted {
  readonly type: "step-started"
  readonly step: string
  readonly attempt: number
}
/** Durable before the effect may happen: after a crash this line says what may have taken place. */
export interface EffectStarted {
  readonly type: "effect-started"
  readonly step: string
  readonly key: string
}
/** An errored attempt is followed by another. */
export interface StepRetried {
  readonly type: "step-retried"
  readonly step: string
  readonly attempt: number
  readonly error: ErrorRecord
  /** Milliseconds until the next attempt. */
  readonly delay: number
}
export interface StepReported {
  readonly type: "step-reported"
  readonly step: string
  readonly report: Report
}
export interface ArtifactKept {
  readonly type: "artifact-kept"
  readonly step: string
  readonly artifact: Artifact
}
export interface StepFinished {
  readonly type: "step-finished"
  readonly step: string
  readonly status: Exclude<StepStatus, "pending" | "running">
  /** Taken from an earlier run with the same fingerprint. */
  readonly cached: boolean
  readonly output?: unknown
  readonly error?: ErrorRecord | undefined
  /** Why it was skipped, or how it was settled (e.g. reconciled). */
  readonly reason?: string | undefined
  readonly fingerprint?: string | undefined
}
/** Another process of the same run (a CI job) did this step; its sealed record was verified before it was taken over. */
export interface StepImported {
  readonly type: "step-imported"
  readonly step: string
  readonly record: StepRecord
}
export interface RunFinished {
  readonly type: "run-finished"
  readonly status: Exclude<RunStatus, "running">
  readonly error?: ErrorRecord | undefined
}
/** A line of a step's log. Not kept in events.ndjson: the step's log.txt has it. */
export interface StepLogged {
  readonly type: "step-logged"
  readonly step: string
  readonly line: string
}

/** Everything that happens in a run. Renderers render these and nothing else. */
export type RunEvent =
  | RunStarted
  | RunResumed
  | StepStarted
  | EffectStarted
  | StepRetried
  | StepReported
  | ArtifactKept
  | StepFinished
  | StepImported
  | RunFinished
  | StepLogged

/** An event with the time it happened, ISO 8601 with milliseconds, UTC. */
export type Stamped<E extends RunEvent = RunEvent> = E & { readonly at: string }
