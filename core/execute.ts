import { join } from "node:path"
import { runStep, type Outcome } from "./attempt.js"
import { readCache, writeCache } from "./cache.js"
import { whyNot, type Facts } from "./condition.js"
import { fault, isFault, toErrorRecord, type ErrorRecord } from "./errors.js"
import type { RunEvent, RunStatus, Selection, Stamped, StepFinished, StepStatus } from "./events.js"
import { fingerprint } from "./fingerprint.js"
import { takeLock } from "./lock.js"
import { relinkArtifacts } from "./objects.js"
import { checkOutput, gatherNeeds } from "./outputs.js"
import type { Pipeline } from "./pipeline.js"
import { nodeOf } from "./plan.js"
import { emptyState, type RunRecord, type RunState } from "./record.js"
import { openRecorder, type Recorder } from "./recorder.js"
import { readSecrets, type Secret, type SecretSource } from "./secrets.js"
import { selectSteps } from "./select.js"
import type { SessionProvider } from "./session.js"
import { predecessors, type AnyStep, type RunInfo } from "./step.js"
import { makeRunDir, newRunId, readState, type Store } from "./store.js"

export interface ExecuteOptions {
  readonly store: Store
  /** Absolute folder of the project. */
  readonly project: string
  readonly pipeline: Pipeline
  readonly selection: Selection
  readonly services: readonly string[]
  readonly commit: string
  readonly dirty: boolean
  readonly facts: Facts
  readonly secrets: SecretSource
  readonly session: SessionProvider
  /** Steps that run at once. */
  readonly concurrency: number
  /** Id of a run to go on with; else a new one begins. */
  readonly resume?: string
  readonly listener?: (event: Stamped<RunEvent>) => void
  readonly signal?: AbortSignal
}

/**
 * Runs a pipeline, or goes on with a run, until nothing is left to do. Answers the record; a red step is no exception.
 * @throws SECRET-MISSING, RUN-LOCKED, RUN-PIPELINE-CHANGED, DISK-FULL before or while recording
 */
export async function execute(options: ExecuteOptions): Promise<RunRecord> {
  const { store, pipeline } = options
  const steps = selectSteps(pipeline, options.selection)
  const id = options.resume ?? newRunId()
  const secrets = await readSecrets(options.secrets, wantedSecrets(steps, options.facts))
  const dir = await makeRunDir(store, id)
  const release = await takeLock(join(dir, "lock"), `Run ${id}`)
  try {
    const state = options.resume === undefined ? emptyState() : await resumable(store, id, steps)
    const run: RunInfo = {
      id,
      pipeline: pipeline.name,
      dir,
      project: options.project,
      commit: state.record?.commit ?? options.commit,
      dirty: state.record?.dirty ?? options.dirty,
    }
    const first: RunEvent =
      state.record === undefined
        ? {
            type: "run-started",
            run: id,
            pipeline: pipeline.name,
            services: options.services,
            commit: run.commit,
            dirty: run.dirty,
            selection: options.selection,
            facts: JSON.parse(JSON.stringify(options.facts)) as Record<string, unknown>,
            steps: steps.map(nodeOf),
          }
        : { type: "run-resumed" }
    const recorder = await openRecorder({
      dir,
      state,
      first,
      secrets: [...secrets.values()].map((s) => s.plaintext()),
      listener: options.listener ?? (() => undefined),
    })
    await schedule({ options, steps, run, state, recorder, secrets })
    await recorder.close()
    return recorder.record
  } finally {
    await release()
  }
}

async function resumable(store: Store, id: string, steps: readonly AnyStep[]): Promise<RunState> {
  const state = await readState(store, id)
  const recorded = [...state.index.keys()].sort().join(" ")
  const now = steps
    .map((s) => s.id)
    .sort()
    .join(" ")
  if (recorded === now) return state
  throw fault({
    code: "RUN-PIPELINE-CHANGED",
    kind: "usage",
    message: `Run ${id} was made by another version of the pipeline`,
    reason: `Its steps: ${recorded}. The pipeline's steps now: ${now}.`,
    hint: "Start a new run; what is unchanged comes from the cache.",
  })
}

function wantedSecrets(steps: readonly AnyStep[], facts: Facts): Map<string, string[]> {
  const wanted = new Map<string, string[]>()
  for (const s of steps) {
    if (s.when !== undefined && whyNot(s.when, facts) !== undefined) continue
    for (const name of s.secrets) wanted.set(name, [...(wanted.get(name) ?? []), s.id])
  }
  return wanted
}

interface Schedule {
  readonly options: ExecuteOptions
  readonly steps: readonly AnyStep[]
  readonly run: RunInfo
  readonly state: RunState
  readonly recorder: Recorder
  readonly secrets: ReadonlyMap<string, Secret>
}

async function schedule(s: Schedule): Promise<void> {
  const { options, steps, recorder } = s
  const controller = new AbortController()
  const interrupt = () => controller.abort(options.signal?.reason)
  if (options.signal?.aborted === true) interrupt()
  options.signal?.addEventListener("abort", interrupt, { once: true })

  const inSelection = new Set(steps)
  const left = new Map<AnyStep, number>()
  const followers = new Map<AnyStep, AnyStep[]>()
  for (const step of steps) {
    const before = predecessors(step).filter((p) => inSelection.has(p))
    left.set(step, before.length)
    for (const p of before) followers.set(p, [...(followers.get(p) ?? []), step])
  }
  const ready = steps.filter((step) => left.get(step) === 0)
  const running = new Set<Promise<void>>()
  const settle = (step: AnyStep) => {
    for (const follower of followers.get(step) ?? []) {
      const rest = (left.get(follower) ?? 0) - 1
      left.set(follower, rest)
      if (rest === 0) ready.push(follower)
    }
  }
  const start = async (step: AnyStep) => {
    const status = await runOne(s, step, controller.signal)
    if (status === "failed" && options.pipeline.failFast) {
      controller.abort(fault({ code: "CANCELLED-SIBLING", kind: "cancelled", message: `Cancelled: ${step.id} failed` }))
    }
    if (recorder.trouble() !== undefined) controller.abort(recorder.trouble())
    settle(step)
  }
  let head = 0
  while (head < ready.length || running.size > 0) {
    while (head < ready.length && running.size < options.concurrency) {
      const work: Promise<void> = start(ready[head++] as AnyStep).finally(() => running.delete(work))
      running.add(work)
    }
    await Promise.race(running)
  }
  options.signal?.removeEventListener("abort", interrupt)
  recorder.emit({ type: "run-finished", status: runStatus(recorder.record, steps, options.signal?.aborted === true) })
}

/** Takes one step from pending to its end; answers its status ("pending" when it has to wait behind a gate). */
async function runOne(s: Schedule, step: AnyStep, signal: AbortSignal): Promise<StepStatus> {
  const { state, recorder, run, options } = s
  const record = state.index.get(step.id)
  if (record === undefined) return "pending"
  if (record.status !== "pending") return record.status
  const finish = (event: Omit<StepFinished, "type" | "step">): StepStatus => {
    recorder.emit({ type: "step-finished", step: step.id, ...event })
    return event.status
  }
  const blocker = whatBlocks(s, step)
  if (blocker === "waits") return "pending"
  if (blocker !== undefined) return finish({ status: "skipped", cached: false, reason: `not run: ${blocker}` })
  const reason = step.when === undefined ? undefined : whyNot(step.when, options.facts)
  if (reason !== undefined) return finish({ status: "skipped", cached: false, reason })
  if (signal.aborted) return finish(toFinish({ status: "cancelled", error: cancelFault(signal) }))

  let print: string | undefined
  let needs: Record<string, unknown>
  try {
    needs = readNeeds(s, step)
    print = fingerprint(step, needs, run)
  } catch (thrown) {
    return finish({ status: "errored", cached: false, error: toErrorRecord(thrown) })
  }
  if (print !== undefined && (await fromCache(s, step, print))) return "success"

  const outcome = await runStep({
    step,
    needs,
    run,
    storeRoot: options.store.root,
    secrets: s.secrets,
    session: options.session,
    recorder,
    signal,
    unsettled: record.effect,
  })
  const status = finish({ ...toFinish(outcome), fingerprint: print })
  if (status === "success" && print !== undefined) {
    const { output, artifacts, reports } = record
    await writeCache(options.store.root, step.id, print, { run: run.id, output, artifacts, reports }).catch(
      () => undefined,
    )
  }
  return status
}

function toFinish(outcome: Outcome): Omit<StepFinished, "type" | "step"> {
  if (outcome.status === "success") {
    return { status: "success", cached: false, output: outcome.output, reason: outcome.reason }
  }
  return { status: outcome.status, cached: false, error: toErrorRecord(outcome.error) }
}

/** "waits": something before it is not decided yet. A text: why it cannot run. Undefined: nothing is in the way. */
function whatBlocks(s: Schedule, step: AnyStep): string | undefined {
  let reason: string | undefined
  for (const p of predecessors(step)) {
    const record = s.state.index.get(p.id)
    if (record === undefined || p.definition.allowFailure === true) continue
    if (record.status === "waiting" || record.status === "pending" || record.status === "running") return "waits"
    if (record.status === "failed" || record.status === "errored" || record.status === "cancelled") {
      reason ??= `${p.id} ${record.status === "cancelled" ? "was cancelled" : record.status}`
    } else if (record.status === "skipped" && record.reason?.startsWith("not run:") === true) {
      reason ??= record.reason.slice("not run: ".length)
    }
  }
  return reason
}

function readNeeds(s: Schedule, step: AnyStep): Record<string, unknown> {
  const byId = new Map(predecessors(step).map((p) => [p.id, p]))
  return gatherNeeds(step, (id) => {
    const record = s.state.index.get(id)
    const p = byId.get(id)
    return record?.status === "success" && p !== undefined ? checkOutput(p, record.output) : undefined
  })
}

async function fromCache(s: Schedule, step: AnyStep, print: string): Promise<boolean> {
  const hit = await readCache(s.options.store.root, step.id, print)
  if (hit === undefined) return false
  let output: unknown
  try {
    output = checkOutput(step, hit.output)
    if (!(await relinkArtifacts(s.options.store.root, s.run.dir, hit.artifacts))) return false
  } catch {
    return false // What cannot be read or restored is made anew.
  }
  for (const artifact of hit.artifacts) s.recorder.emit({ type: "artifact-kept", step: step.id, artifact })
  for (const report of hit.reports) s.recorder.emit({ type: "step-reported", step: step.id, report })
  s.recorder.emit({
    type: "step-finished",
    step: step.id,
    status: "success",
    cached: true,
    output,
    reason: `same inputs as in run ${hit.run}`,
    fingerprint: print,
  })
  return true
}

/** Errored outranks failed: where infrastructure broke, "the work said no" is not the whole truth. Neither counts when allowed. */
function runStatus(record: RunRecord, steps: readonly AnyStep[], interrupted: boolean): Exclude<RunStatus, "running"> {
  const allowed = new Set(steps.filter((step) => step.definition.allowFailure === true).map((step) => step.id))
  const has = (status: StepStatus) => record.steps.some((r) => r.status === status && !allowed.has(r.id))
  if (interrupted) return "cancelled"
  if (has("errored")) return "errored"
  if (has("failed")) return "failed"
  if (has("cancelled")) return "cancelled"
  return has("waiting") ? "waiting" : "success"
}

function cancelFault(signal: AbortSignal) {
  return isFault(signal.reason) ? signal.reason : fault({ code: "CANCELLED", kind: "cancelled", message: "Cancelled" })
}

export type { ErrorRecord }
