import { mkdtempSync } from "node:fs"
import { rm } from "node:fs/promises"
import { join } from "node:path"
import type { Client } from "@dagger.io/dagger"
import { setTimeout as pause } from "node:timers/promises"
import { fault, isFault, toErrorRecord, type Fault } from "./errors.js"
import { runArtifacts } from "./objects.js"
import { checkOutput } from "./outputs.js"
import type { Recorder } from "./recorder.js"
import type { Secret } from "./secrets.js"
import type { SessionProvider } from "./session.js"
import type { AnyStep, Context, Needs, RunInfo } from "./step.js"
import { createScope, type Scope } from "./scope.js"

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
}

export type Outcome =
  | { readonly status: "success"; readonly output: unknown; readonly reason?: string }
  | { readonly status: "failed" | "errored" | "cancelled" | "waiting"; readonly error: Fault }

/** Runs a step to its outcome: attempts, reconciliation of effects, timeout, cleanup. Never throws. */
export async function runStep(job: StepJob): Promise<Outcome> {
  const { step, recorder } = job
  const policy = step.definition.effect?.retry ?? step.definition.retry ?? { attempts: 1 }
  let unsettled = job.unsettled
  for (let attempt = 1; ; attempt++) {
    recorder.emit({ type: "step-started", step: step.id, attempt })
    const outcome = await runAttempt(job, attempt, unsettled)
    unsettled =
      step.definition.effect === undefined
        ? undefined
        : (recorder.record.steps.find((s) => s.id === step.id)?.effect ?? unsettled)
    if (outcome.status !== "errored" || attempt >= policy.attempts || job.signal.aborted) return outcome
    const delay = (policy.backoff ?? 1000) * 2 ** (attempt - 1)
    recorder.emit({ type: "step-retried", step: step.id, attempt, error: toErrorRecord(outcome.error), delay })
    await pause(delay, undefined, { signal: job.signal }).catch(() => undefined)
    if (job.signal.aborted) return { status: "cancelled", error: cancelled(job.signal) }
  }
}

async function runAttempt(job: StepJob, attempt: number, unsettled: string | undefined): Promise<Outcome> {
  const { step, recorder } = job
  const log = recorder.log(step.id)
  const scope = createScope(job.signal, step.definition.timeout, step.id)
  let scratch: string | undefined
  const scratchDir = () => (scratch ??= mkdtempSync(join(job.run.dir, `.scratch-${step.id}-`)))
  const contextFor = (client: Client | undefined, signal: AbortSignal) =>
    makeContext(job, { attempt, client, log, signal, scratchDir })
  let client: Client | undefined
  let outcome: Outcome
  try {
    if (step.definition.engine !== false) client = await scope.race(job.session.open())
    outcome = await scope.race(perform(job, contextFor(client, scope.signal), unsettled))
  } catch (thrown) {
    outcome = classify(thrown, job, scope)
  }
  scope.end()
  outcome = await cleanUp(job, outcome, () => contextFor(client, AbortSignal.timeout(60_000)))
  log.end()
  if (scratch !== undefined) await rm(scratch, { recursive: true, force: true })
  return outcome
}

async function perform(job: StepJob, context: Context<Needs, string>, unsettled: string | undefined): Promise<Outcome> {
  const { step, recorder, run, needs } = job
  const { effect } = step.definition
  const output = (value: unknown) => checkOutput(step, value)
  if (effect !== undefined) {
    if (unsettled !== undefined && effect.reconcile !== "repeat") {
      context.log.info(`The effect ${unsettled} was started before and its end is not known; looking at the target.`)
      const found = await effect.reconcile(context)
      if (found !== undefined) {
        return { status: "success", output: output(found), reason: "reconciled: the effect had taken place" }
      }
      context.log.info("It did not take place; doing it now.")
    }
    await recorder.emitDurably({
      type: "effect-started",
      step: step.id,
      key: effect.key({ needs: needs as never, run }),
    })
  }
  return { status: "success", output: output(await step.definition.run(context)) }
}

async function cleanUp(job: StepJob, outcome: Outcome, context: () => Context<Needs, string>): Promise<Outcome> {
  if (job.step.definition.ensure === undefined) return outcome
  try {
    await job.step.definition.ensure(context())
    return outcome
  } catch (cause) {
    job.recorder.log(job.step.id).line(`Cleaning up failed: ${(cause as Error).message}`)
    return outcome.status === "success" ? { status: "errored", error: toFault(cause, job) } : outcome
  }
}

function makeContext(
  job: StepJob,
  parts: {
    readonly attempt: number
    readonly client: Client | undefined
    readonly log: ReturnType<Recorder["log"]>
    readonly signal: AbortSignal
    readonly scratchDir: () => string
  },
): Context<Needs, string> {
  const { step, run, recorder } = job
  return {
    run,
    step: step.id,
    attempt: parts.attempt,
    get dag() {
      if (parts.client !== undefined) return parts.client
      throw fault({
        code: "STEP-NO-ENGINE",
        kind: "usage",
        message: `Step ${step.id} uses the Dagger session but says \`engine: false\``,
        hint: "Remove `engine: false` from the step.",
      })
    },
    needs: job.needs as never,
    secrets: Object.fromEntries(step.secrets.map((name) => [name, job.secrets.get(name) as Secret])),
    artifacts: runArtifacts({
      storeRoot: job.storeRoot,
      runDir: run.dir,
      step: step.id,
      kept: (artifact) => recorder.emit({ type: "artifact-kept", step: step.id, artifact }),
    }),
    log: {
      info: (text) => parts.log.line(text),
      warn: (text) => parts.log.line(`warning: ${text}`),
      write: (chunk) => parts.log.write(chunk),
    },
    get scratch() {
      return parts.scratchDir()
    },
    publish: (report) => recorder.emit({ type: "step-reported", step: step.id, report }),
    mask: (value) => recorder.mask(value),
    signal: parts.signal,
  }
}

function classify(thrown: unknown, job: StepJob, scope: Scope): Outcome {
  if (scope.timedOut()) return { status: "errored", error: scope.timeoutFault() }
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

function cancelled(signal: AbortSignal): Fault {
  return isFault(signal.reason) ? signal.reason : fault({ code: "CANCELLED", kind: "cancelled", message: "Cancelled" })
}
