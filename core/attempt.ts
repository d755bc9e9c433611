import { rm } from "node:fs/promises"
import type { Client } from "@dagger.io/dagger"
import { setTimeout as pause } from "node:timers/promises"
import { contextMaker, type OpenContext } from "./context.js"
import { fault, isFault, toErrorRecord, type Fault } from "./errors.js"
import { fileFault, isDiskFull } from "./files.js"
import { checkOutput } from "./outputs.js"
import { createScope, type Scope } from "./scope.js"
import type { StepJob } from "./step-job.js"
import type { Context, Needs } from "./step.js"

export type Outcome =
  | { readonly status: "success"; readonly output: unknown; readonly reason?: string }
  | { readonly status: "failed" | "errored" | "cancelled" | "waiting"; readonly error: Fault }

/** Pauses between attempts double, but nobody waits longer than this for the next. Milliseconds. */
const longestPause = 300_000

/** Runs a step to its outcome: attempts, reconciliation of effects, timeout, cleanup. Never throws. */
export async function runStep(job: StepJob): Promise<Outcome> {
  const { step, recorder } = job
  const policy = step.definition.effect?.retry ?? step.definition.retry ?? { attempts: 1 }
  let unsettled = job.unsettled
  for (let attempt = 1; ; attempt++) {
    recorder.emit({ type: "step-started", step: step.id, attempt })
    const outcome = await runAttempt(job, attempt, unsettled)
    unsettled = recorder.step(step.id)?.effect ?? unsettled
    if (outcome.status !== "errored" || attempt >= policy.attempts || job.signal.aborted) return outcome
    const delay = Math.min((policy.backoff ?? 1000) * 2 ** (attempt - 1), longestPause)
    recorder.emit({ type: "step-retried", step: step.id, attempt, error: toErrorRecord(outcome.error), delay })
    await pause(delay, undefined, { signal: job.signal }).catch(() => undefined)
    if (job.signal.aborted) return { status: "cancelled", error: cancelled(job.signal) }
  }
}

async function runAttempt(job: StepJob, attempt: number, unsettled: string | undefined): Promise<Outcome> {
  const { step } = job
  const log = job.recorder.log(step.id)
  const scope = createScope(job.signal, step.id, job.patience.grace)
  const contexts = contextMaker(job, attempt, log)
  let client: Client | undefined
  let context: OpenContext | undefined
  let outcome: Outcome
  try {
    if (step.definition.engine !== false) client = await scope.race(job.session.open())
    // The clock starts now: that the engine had to be built first is not the step's doing.
    scope.limit(step.definition.timeout)
    context = contexts.open(client, scope.signal)
    outcome = await scope.race(perform(job, context.context, unsettled))
  } catch (thrown) {
    outcome = classify(thrown, job, scope)
  }
  scope.end()
  context?.close()
  if (context !== undefined && step.definition.ensure !== undefined) {
    const failure = await cleanUp(job, (signal) => contexts.open(client, signal))
    if (failure !== undefined) log.line(`Cleaning up failed: ${failure.message}`)
    if (failure !== undefined && outcome.status === "success") outcome = { status: "errored", error: failure }
  }
  log.end()
  const scratch = contexts.scratch()
  if (scratch !== undefined) await rm(scratch, { recursive: true, force: true }).catch(() => undefined)
  return outcome
}

async function perform(job: StepJob, context: Context<Needs, string>, unsettled: string | undefined): Promise<Outcome> {
  const { step, recorder, run, needs } = job
  const { effect } = step.definition
  const output = (value: unknown) => checkOutput(step, value)
  if (effect !== undefined) {
    const doubt =
      unsettled !== undefined
        ? `The effect ${unsettled} was started before and its end is not known`
        : job.mayHaveBegun === true
          ? "Another process may have begun this effect"
          : undefined
    if (doubt !== undefined && effect.reconcile !== "repeat") {
      context.log.info(`${doubt}; looking at the target.`)
      const found = await effect.reconcile(context)
      if (found !== undefined) {
        return { status: "success", output: output(found), reason: "reconciled: the effect had taken place" }
      }
      context.log.info("It did not take place; doing it now.")
    }
    const key = effect.key({ needs: needs as never, run })
    // Not after the run has given this attempt up: nobody would record how it ended.
    context.signal.throwIfAborted()
    await recorder.emitDurably({ type: "effect-started", step: step.id, key })
    context.signal.throwIfAborted()
  }
  return { status: "success", output: output(await step.definition.run(context)) }
}

/** Runs `ensure` with a signal of its own: the run's may be aborted. Answers what went wrong. */
async function cleanUp(job: StepJob, open: (signal: AbortSignal) => OpenContext): Promise<Fault | undefined> {
  const scope = createScope(undefined, `Cleaning up ${job.step.id}`, job.patience.grace)
  const context = open(scope.signal)
  scope.limit(job.patience.cleanup)
  try {
    await scope.race(Promise.resolve(job.step.definition.ensure?.(context.context)))
    return undefined
  } catch (thrown) {
    return scope.timedOut() ?? toFault(thrown, job)
  } finally {
    scope.end()
    context.close()
  }
}

function classify(thrown: unknown, job: StepJob, scope: Scope): Outcome {
  const timedOut = scope.timedOut()
  if (timedOut !== undefined) return { status: "errored", error: timedOut }
  if (job.signal.aborted) return { status: "cancelled", error: cancelled(job.signal) }
  const error = toFault(thrown, job)
  switch (error.kind) {
    case "failed":
    case "waiting":
    case "cancelled":
      return { status: error.kind, error }
    case "errored":
    case "usage":
      return { status: "errored", error }
    default:
      return error.kind satisfies never
  }
}

function toFault(thrown: unknown, job: StepJob): Fault {
  if (isFault(thrown)) return thrown
  if (isDiskFull(thrown)) return fileFault(thrown, thrown.path ?? job.run.dir) as Fault
  return job.session.classify(thrown) ?? unexpected(thrown)
}

/** Something nobody foresaw: the stack goes along, this is what a bug report needs. */
function unexpected(thrown: unknown): Fault {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  return fault({
    code: "UNEXPECTED",
    kind: "errored",
    message: error.message.split("\n")[0] || error.name,
    reason: error.stack ?? error.message,
    cause: thrown,
  })
}

export function cancelled(signal: AbortSignal): Fault {
  return isFault(signal.reason) ? signal.reason : fault({ code: "CANCELLED", kind: "cancelled", message: "Cancelled" })
}
