import type { Patience } from "./step-job.js"
import type { Facts } from "./condition.js"
import type { RunEvent, Selection, Stamped } from "./events.js"
import type { Masker } from "./mask.js"
import { locked, perform, wantedSecrets, type Performance } from "./perform.js"
import type { Pipeline } from "./pipeline.js"
import { nodeOf } from "./plan.js"
import { needsAnotherRun, type RunRecord } from "./record.js"
import { emptyState, type RunState } from "./fold.js"
import { checkSamePipeline } from "./resume.js"
import { readSecrets, type SecretSource } from "./secrets.js"
import { selectSteps } from "./select.js"
import type { SessionProvider } from "./session.js"
import type { AnyStep, RunInfo } from "./step.js"
import { existingRun, makeRun, readState, tidyRun, type Store } from "./store.js"

export interface ExecuteOptions {
  readonly store: Store
  /** Absolute folder of the project. */
  readonly project: string
  readonly pipeline: Pipeline
  /** What of the pipeline runs. A resume covers what the run covers, whatever this says. */
  readonly selection: Selection
  readonly services: readonly string[]
  readonly commit: string
  readonly dirty: boolean
  /** What conditions are judged by. A resume judges by what was recorded when the run began. */
  readonly facts: Facts
  readonly secrets: SecretSource
  readonly session: SessionProvider
  /** Steps that run at once. */
  readonly concurrency: number
  /** Id of a run to go on with; else a new one begins. */
  readonly resume?: string
  readonly listener?: (event: Stamped<RunEvent>) => void
  /** Masks beside the secrets of the steps; it learns what turns up during the run. */
  readonly masker?: Masker | undefined
  /** Cancels the run: steps are told to stop, `ensure` still runs, the record is completed. */
  readonly signal?: AbortSignal
  /** Default: 10 s for a step that was told to stop, 60 s for an `ensure`. */
  readonly patience?: Partial<Patience>
}

/**
 * Runs a pipeline, or goes on with a run, until nothing is left to do. Answers the record; a red step is no exception.
 * @throws SECRET-MISSING, RUN-UNKNOWN, RUN-LOCKED, RUN-PIPELINE-CHANGED before anything runs; DISK-FULL, FILE-DENIED also while
 * recording: what had been recorded until then stays, and the run can be resumed
 */
export async function execute(options: ExecuteOptions): Promise<RunRecord> {
  return options.resume === undefined ? begin(options) : resume(options, options.resume)
}

async function begin(options: ExecuteOptions): Promise<RunRecord> {
  const steps = selectSteps(options.pipeline, options.selection)
  const secrets = await readSecrets(options.secrets, wantedSecrets(steps, options.facts))
  const { id, dir } = await makeRun(options.store)
  const { commit, dirty } = options
  const run: RunInfo = {
    id,
    pipeline: options.pipeline.name,
    dir,
    project: options.project,
    commit,
    dirty,
    facts: options.facts,
  }
  const first = runStarted(options, run, steps)
  return locked(run, () =>
    perform({ ...shared(options), steps, run, state: emptyState(), first, secrets, facts: options.facts }),
  )
}

async function resume(options: ExecuteOptions, id: string): Promise<RunRecord> {
  const dir = await existingRun(options.store, id)
  const run = { id, pipeline: options.pipeline.name, dir, project: options.project }
  return locked(run, async () => {
    const state = await readState(options.store, id)
    const { selection, facts: recorded, commit, dirty } = state.record as RunRecord
    const steps = selectSteps(options.pipeline, selection)
    checkSamePipeline(state.record as RunRecord, steps)
    const facts = recorded as Facts
    const secrets = await readSecrets(options.secrets, wantedSecrets(stillOpen(state, steps), facts))
    await tidyRun(dir)
    const info: RunInfo = { ...run, commit, dirty, facts }
    return perform({ ...shared(options), steps, run: info, state, first: { type: "run-resumed" }, secrets, facts })
  })
}

/** What is handed on as it is. */
export function shared(
  options: ExecuteOptions,
): Omit<Performance, "steps" | "run" | "state" | "first" | "secrets" | "facts"> {
  const { store, session, concurrency, listener, signal, patience, masker } = options
  return { store, failFast: options.pipeline.failFast, session, concurrency, listener, signal, patience, masker }
}

/** The first event of a run. @param steps those that the run is about */
export function runStarted(options: ExecuteOptions, run: RunInfo, steps: readonly AnyStep[]): RunEvent {
  return {
    type: "run-started",
    run: run.id,
    pipeline: run.pipeline,
    services: options.services,
    commit: run.commit,
    dirty: run.dirty,
    selection: options.selection,
    facts: JSON.parse(JSON.stringify(options.facts)) as Record<string, unknown>,
    steps: steps.map(nodeOf),
  }
}

/** Steps that a resumed run does again. */
export function stillOpen(state: RunState, steps: readonly AnyStep[]): readonly AnyStep[] {
  return steps.filter((s) => {
    const record = state.index.get(s.id)
    return record !== undefined && needsAnotherRun(record)
  })
}
