import { whyNot, type Facts } from "../../core/condition.js"
import type { Pipeline } from "../../core/pipeline.js"
import { nodeOf } from "../../core/plan.js"
import type { RunRecord, StepRecord } from "../../core/record.js"
import { pendingRecord } from "../../core/fold.js"
import { readSealed, type RecordOrigin } from "../../core/sealed.js"
import type { AnyStep } from "../../core/step.js"
import { toErrorRecord } from "../../core/errors.js"
import { skippedRecord } from "../records.js"
import type { JobSummary } from "../../report/ci/summary.js"

/**
 * The record of the whole pipeline: the sealed records of all of its steps as one run. What cannot be verified is left out and
 * said; a report is no decision, but it should not tell what somebody forged.
 */
export async function pipelineRecord(options: {
  readonly pipeline: Pipeline
  readonly runDir: string
  readonly origin: RecordOrigin
  readonly key: string | undefined
  readonly summary: JobSummary
  readonly facts: Facts
}): Promise<{ readonly record: RunRecord; readonly left: readonly string[] }> {
  const { pipeline, runDir, origin, key, summary } = options
  const left: string[] = []
  // A step whose condition does not hold has no job, and so leaves nothing.
  const applies = (step: AnyStep) => step.when === undefined || whyNot(step.when, options.facts) === undefined
  const steps: StepRecord[] = []
  for (const step of pipeline.steps) {
    const sealed = await readSealed(runDir, origin, step.id, { key, demanded: false }).catch((error: unknown) => {
      const { message, reason } = toErrorRecord(error)
      left.push(`${step.id}: ${message}${reason === undefined ? "" : ` (${reason})`}`)
      return undefined
    })
    steps.push(sealed ?? (applies(step) ? pendingRecord(nodeOf(step)) : skippedRecord(step, options.facts)))
  }
  const { services, status, startedAt, finishedAt } = summary
  const record: RunRecord = {
    schema: 1,
    id: origin.run,
    pipeline: origin.pipeline,
    service: services.length === 1 ? (services[0] ?? null) : null,
    services: [...services],
    commit: origin.commit,
    dirty: false,
    selection: {},
    facts: JSON.parse(JSON.stringify(options.facts)) as RunRecord["facts"],
    status,
    startedAt,
    ...(finishedAt === undefined ? {} : { finishedAt }),
    steps,
  }
  return { record, left }
}
