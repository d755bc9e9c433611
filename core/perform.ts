import { join } from "node:path"
import type { Patience } from "./step-job.js"
import { whyNot, type Facts } from "./condition.js"
import { toErrorRecord } from "./errors.js"
import type { RunEvent, Stamped } from "./events.js"
import { takeLock } from "./lock.js"
import type { Masker } from "./mask.js"
import type { RunRecord, StepRecord } from "./record.js"
import type { RunState } from "./fold.js"
import { openRecorder } from "./recorder.js"
import { runStatus, schedule } from "./schedule.js"
import { defaultGrace } from "./scope.js"
import type { readSecrets } from "./secrets.js"
import type { SessionProvider } from "./session.js"
import type { AnyStep, RunInfo } from "./step.js"
import type { Store } from "./store.js"

/** What a process does of a run, once it is known which run it is and what is still to do. */
export interface Performance {
  readonly store: Store
  readonly run: RunInfo
  /** Steps that this process does, each behind what it needs. */
  readonly steps: readonly AnyStep[]
  readonly failFast: boolean
  readonly facts: Facts
  readonly state: RunState
  readonly first: RunEvent
  /** Records that other processes left, verified. */
  readonly imports?: readonly StepRecord[]
  readonly mayHaveBegun?: boolean
  readonly secrets: Awaited<ReturnType<typeof readSecrets>>
  readonly masker?: Masker | undefined
  readonly session: SessionProvider
  readonly concurrency: number
  readonly listener?: ((event: Stamped<RunEvent>) => void) | undefined
  readonly signal?: AbortSignal | undefined
  readonly patience?: Partial<Patience> | undefined
}

/** Records, schedules, and completes the record. The caller holds the run's lock. @throws DISK-FULL, FILE-DENIED */
export async function perform(options: Performance): Promise<RunRecord> {
  const { steps, secrets, signal } = options
  const controller = new AbortController()
  const recorder = await openRecorder({
    dir: options.run.dir,
    state: options.state,
    first: options.first,
    secrets: [...secrets.values()].map((s) => s.plaintext()),
    masker: options.masker,
    listener: options.listener ?? (() => undefined),
    onTrouble: (trouble) => controller.abort(trouble),
  })
  const interrupt = () => controller.abort(signal?.reason)
  if (signal?.aborted === true) interrupt()
  signal?.addEventListener("abort", interrupt, { once: true })
  const work = {
    steps,
    failFast: options.failFast,
    run: options.run,
    facts: options.facts,
    storeRoot: options.store.root,
    recorder,
    secrets,
    session: options.session,
    concurrency: options.concurrency,
    patience: { grace: defaultGrace, cleanup: 60_000, ...options.patience },
    mayHaveBegun: options.mayHaveBegun,
    controller,
  }
  try {
    for (const record of options.imports ?? []) recorder.emit({ type: "step-imported", step: record.id, record })
    await schedule(work)
    const trouble = recorder.trouble()
    recorder.emit(
      trouble === undefined
        ? { type: "run-finished", status: runStatus(work, signal?.aborted === true) }
        : { type: "run-finished", status: "errored", error: toErrorRecord(trouble) },
    )
  } finally {
    signal?.removeEventListener("abort", interrupt)
    await recorder.close()
  }
  return recorder.record
}

/** Works on a run while nobody else does. @throws RUN-LOCKED */
export async function locked<T>(
  run: { readonly id: string; readonly dir: string },
  work: () => Promise<T>,
): Promise<T> {
  const release = await takeLock(join(run.dir, "lock"), `Run ${run.id}`)
  try {
    return await work()
  } finally {
    await release()
  }
}

/** Names of the secrets that steps will ask for, with the steps that do. Skipped steps ask for none. */
export function wantedSecrets(steps: readonly AnyStep[], facts: Facts): Map<string, string[]> {
  const wanted = new Map<string, string[]>()
  for (const s of steps) {
    if (s.when !== undefined && whyNot(s.when, facts) !== undefined) continue
    for (const name of s.secrets) wanted.set(name, [...(wanted.get(name) ?? []), s.id])
  }
  return wanted
}
