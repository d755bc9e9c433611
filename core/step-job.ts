import type { Recorder } from "./recorder.js"
import type { Secret } from "./secrets.js"
import type { SessionProvider } from "./session.js"
import type { AnyStep, RunInfo } from "./step.js"

/** What one step is run with; the scheduler makes it. */
export interface StepJob {
  readonly step: AnyStep
  readonly needs: Readonly<Record<string, unknown>>
  readonly run: RunInfo
  readonly storeRoot: string
  readonly secrets: ReadonlyMap<string, Secret>
  readonly session: SessionProvider
  readonly recorder: Recorder
  /** Aborted when the run is cancelled. */
  readonly signal: AbortSignal
  /** Key of the effect that an earlier process or attempt started without a known end. */
  readonly unsettled: string | undefined
  /** A process whose records are not here may have begun it: an effect looks at its target before it acts. */
  readonly mayHaveBegun?: boolean | undefined
  readonly patience: Patience
}

/** How long the run waits for what should stop. Milliseconds. */
export interface Patience {
  /** For a step that was told to stop; then it is left alone. */
  readonly grace: number
  /** For `ensure`, before it is told to stop. */
  readonly cleanup: number
}
