import { join } from "node:path"
import type { Patience } from "./attempt.js"
import { whyNot, type Facts } from "./condition.js"
import { toErrorRecord } from "./errors.js"
import type { RunEvent, Selection, Stamped } from "./events.js"
import { takeLock } from "./lock.js"
import type { Pipeline } from "./pipeline.js"
import { nodeOf } from "./plan.js"
import { emptyState, needsAnotherRun, type RunRecord, type RunState } from "./record.js"
import { openRecorder } from "./recorder.js"
import { checkSamePipeline } from "./resume.js"
import { runStatus, schedule } from "./schedule.js"
import { defaultGrace } from "./scope.js"
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
  const run: RunInfo = { id, pipeline: options.pipeline.name, dir, project: options.project, commit, dirty }
  const first: RunEvent = {
    type: "run-started",
    run: id,
    pipeline: run.pipeline,
    services: options.services,
    commit,
    dirty,
    selection: options.selection,
    facts: JSON.parse(JSON.stringify(options.facts)) as Record<string, unknown>,
    steps: steps.map(nodeOf),
  }
  return locked(run, () => perform({ options, steps, run, state: emptyState(), first, secrets, facts: options.facts }))
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
    const open = steps.filter((s) => {
      const record = state.index.get(s.id)
      return record !== undefined && needsAnotherRun(record)
    })
    const secrets = await readSecrets(options.secrets, wantedSecrets(open, facts))
    await tidyRun(dir)
    const info: RunInfo = { ...run, commit, dirty }
    return perform({ options, steps, run: info, state, first: { type: "run-resumed" }, secrets, facts })
  })
}

async function locked<T>(run: { readonly id: string; readonly dir: string }, work: () => Promise<T>): Promise<T> {
  const release = await takeLock(join(run.dir, "lock"), `Run ${run.id}`)
  try {
    return await work()
  } finally {
    await release()
  }
}

async function perform(run: {
  readonly options: ExecuteOptions
  readonly steps: readonly AnyStep[]
  readonly run: RunInfo
  readonly state: RunState
  readonly first: RunEvent
  readonly secrets: Awaited<ReturnType<typeof readSecrets>>
  readonly facts: Facts
}): Promise<RunRecord> {
  const { options, steps, secrets } = run
  const controller = new AbortController()
  const recorder = await openRecorder({
    dir: run.run.dir,
    state: run.state,
    first: run.first,
    secrets: [...secrets.values()].map((s) => s.plaintext()),
    listener: options.listener ?? (() => undefined),
    onTrouble: (trouble) => controller.abort(trouble),
  })
  const interrupt = () => controller.abort(options.signal?.reason)
  if (options.signal?.aborted === true) interrupt()
  options.signal?.addEventListener("abort", interrupt, { once: true })
  const work = {
    steps,
    failFast: options.pipeline.failFast,
    run: run.run,
    facts: run.facts,
    storeRoot: options.store.root,
    recorder,
    secrets,
    session: options.session,
    concurrency: options.concurrency,
    patience: { grace: defaultGrace, cleanup: 60_000, ...options.patience },
    controller,
  }
  try {
    await schedule(work)
    const trouble = recorder.trouble()
    recorder.emit(
      trouble === undefined
        ? { type: "run-finished", status: runStatus(work, options.signal?.aborted === true) }
        : { type: "run-finished", status: "errored", error: toErrorRecord(trouble) },
    )
  } finally {
    options.signal?.removeEventListener("abort", interrupt)
    await recorder.close()
  }
  return recorder.record
}

function wantedSecrets(steps: readonly AnyStep[], facts: Facts): Map<string, string[]> {
  const wanted = new Map<string, string[]>()
  for (const s of steps) {
    if (s.when !== undefined && whyNot(s.when, facts) !== undefined) continue
    for (const name of s.secrets) wanted.set(name, [...(wanted.get(name) ?? []), s.id])
  }
  return wanted
}
