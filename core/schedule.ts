import { cancelled, runStep, type Outcome } from "./attempt.js"
import type { Patience } from "./step-job.js"
import { readCache, writeCache } from "./cache.js"
import { whyNot, type Facts } from "./condition.js"
import { fault, toErrorRecord } from "./errors.js"
import type { RunStatus, StepFinished, StepStatus } from "./events.js"
import { fingerprint } from "./fingerprint.js"
import { relinkArtifacts } from "./objects.js"
import { checkOutput, gatherNeeds } from "./outputs.js"
import { blockedReason, isBlocked } from "./record.js"
import type { Recorder } from "./recorder.js"
import type { Secret } from "./secrets.js"
import type { SessionProvider } from "./session.js"
import { predecessors, type AnyStep, type RunInfo } from "./step.js"

/** Everything that the steps of one run share. */
export interface Schedule {
  /** Each behind what it needs. */
  readonly steps: readonly AnyStep[]
  readonly failFast: boolean
  readonly run: RunInfo
  readonly facts: Facts
  readonly storeRoot: string
  readonly recorder: Recorder
  readonly secrets: ReadonlyMap<string, Secret>
  readonly session: SessionProvider
  /** Steps that run at once. */
  readonly concurrency: number
  readonly patience: Patience
  /** Processes whose records are not here may have begun effects of this run. */
  readonly mayHaveBegun?: boolean | undefined
  /** Cancels the run; also aborted by a failing sibling (`failFast`) and when the run cannot be recorded. */
  readonly controller: AbortController
}

/** Runs the steps in the order of their edges, as many at once as allowed, until each has ended or has to wait. */
export function schedule(s: Schedule): Promise<void> {
  const { steps, controller } = s
  const left = new Map<AnyStep, number>()
  const followers = new Map<AnyStep, AnyStep[]>(steps.map((step) => [step, []]))
  for (const step of steps) {
    const before = predecessors(step).filter((p) => followers.has(p))
    left.set(step, before.length)
    for (const p of before) followers.get(p)?.push(step)
  }
  const ready = steps.filter((step) => left.get(step) === 0)
  const limit = Math.max(1, Math.floor(s.concurrency) || 1)
  let head = 0
  let running = 0

  return new Promise((resolve, reject) => {
    let bug: { readonly thrown: unknown } | undefined
    const next = () => {
      while (bug === undefined && running < limit && head < ready.length) start(ready[head++] as AnyStep)
      if (running > 0) return
      if (bug === undefined) resolve()
      else reject(bug.thrown as Error)
    }
    const start = (step: AnyStep) => {
      running++
      runOne(s, step)
        .then((status) => {
          if ((status === "failed" || status === "errored") && s.failFast && step.definition.allowFailure !== true) {
            const message = `Cancelled because ${step.id} ${status}`
            controller.abort(fault({ code: "CANCELLED-SIBLING", kind: "cancelled", message }))
          }
          for (const follower of followers.get(step) ?? []) {
            const rest = (left.get(follower) ?? 0) - 1
            left.set(follower, rest)
            if (rest === 0) ready.push(follower)
          }
        })
        .catch((thrown: unknown) => {
          // Not a step's error, those are outcomes: the others are told to stop before this one is reported.
          bug ??= { thrown }
          controller.abort(thrown)
        })
        .finally(() => {
          running--
          next()
        })
    }
    next()
  })
}

/** Takes one step from pending to its end; answers its status ("pending" when it has to wait behind a gate). */
async function runOne(s: Schedule, step: AnyStep): Promise<StepStatus> {
  const { recorder, run } = s
  const signal = s.controller.signal
  const record = recorder.step(step.id)
  if (record === undefined) return "pending"
  if (record.status !== "pending") return record.status
  const finish = (event: Omit<StepFinished, "type" | "step">): StepStatus => {
    recorder.emit({ type: "step-finished", step: step.id, ...event })
    return event.status
  }
  const blocker = whatBlocks(s, step)
  if (blocker === "waits") return "pending"
  if (blocker !== undefined) return finish({ status: "skipped", cached: false, reason: blockedReason(blocker.by) })
  const reason = step.when === undefined ? undefined : whyNot(step.when, s.facts)
  if (reason !== undefined) return finish({ status: "skipped", cached: false, reason })
  if (signal.aborted) return finish(toFinish({ status: "cancelled", error: cancelled(signal) }))

  let print: string | undefined
  let needs: Record<string, unknown>
  try {
    needs = readNeeds(s, step)
    print = fingerprint(step, needs, run)
  } catch (thrown) {
    return finish({ status: "errored", cached: false, error: toErrorRecord(thrown) })
  }
  if (print !== undefined && (await fromCache(s, step, print))) return "success"

  const { storeRoot, secrets, session, patience, mayHaveBegun } = s
  const unsettled = record.effect
  const outcome = await runStep({
    step,
    needs,
    run,
    storeRoot,
    secrets,
    session,
    recorder,
    signal,
    unsettled,
    mayHaveBegun,
    patience,
  })
  const status = finish({ ...toFinish(outcome), fingerprint: print })
  if (status === "success" && print !== undefined) {
    const { output, artifacts, reports } = record
    const key = print
    recorder.later(() => writeCache(storeRoot, step.id, key, { run: run.id, output, artifacts, reports }))
  }
  return status
}

function toFinish(outcome: Outcome): Omit<StepFinished, "type" | "step"> {
  if (outcome.status === "success") {
    return { status: "success", cached: false, output: outcome.output, reason: outcome.reason }
  }
  return { status: outcome.status, cached: false, error: toErrorRecord(outcome.error) }
}

/**
 * "waits": something before it is not decided yet. `by`: why it cannot run. Undefined: nothing is in the way.
 * `allowFailure` forgives that a step went red itself, not that it could not run: what stopped it stops its followers too.
 */
function whatBlocks(s: Schedule, step: AnyStep): "waits" | { readonly by: string } | undefined {
  let by: string | undefined
  for (const p of predecessors(step)) {
    const record = s.recorder.step(p.id)
    if (record === undefined) continue
    switch (record.status) {
      case "waiting":
      case "pending":
      case "running":
        return "waits"
      case "failed":
      case "errored":
        if (p.definition.allowFailure !== true) by ??= `${p.id} ${record.status}`
        break
      case "cancelled":
        by ??= `${p.id} was cancelled`
        break
      case "skipped":
        by ??= isBlocked(record)
        break
      case "success":
        break
      default:
        record.status satisfies never
    }
  }
  return by === undefined ? undefined : { by }
}

function readNeeds(s: Schedule, step: AnyStep): Record<string, unknown> {
  return gatherNeeds(step, (p) => {
    const record = s.recorder.step(p.id)
    return record?.status === "success" ? checkOutput(p, record.output) : undefined
  })
}

async function fromCache(s: Schedule, step: AnyStep, print: string): Promise<boolean> {
  const hit = readCache(s.storeRoot, step.id, print)
  if (hit === undefined) return false
  let output: unknown
  try {
    output = checkOutput(step, hit.output)
    if (!(await relinkArtifacts(s.storeRoot, s.run.dir, hit.artifacts))) return false
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
export function runStatus(s: Schedule, interrupted: boolean): Exclude<RunStatus, "running"> {
  const red = new Set<StepStatus>()
  const all = new Set<StepStatus>()
  let blocked = false
  for (const step of s.steps) {
    const record = s.recorder.step(step.id)
    const status = record?.status ?? "pending"
    all.add(status)
    if (record !== undefined && isBlocked(record) !== undefined) blocked = true
    if (step.definition.allowFailure !== true) red.add(status)
  }
  if (interrupted && all.has("cancelled")) return "cancelled"
  if (red.has("errored")) return "errored"
  if (red.has("failed")) return "failed"
  if (all.has("cancelled")) return "cancelled"
  // By a step of another process: where it is one of these, that has been said already.
  if (blocked) return "failed"
  return all.has("waiting") || all.has("pending") ? "waiting" : "success"
}
