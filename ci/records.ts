import { whyNot, type Facts } from "../core/condition.js"
import { fault } from "../core/errors.js"
import type { Job } from "../core/jobs.js"
import type { Pipeline } from "../core/pipeline.js"
import { nodeOf } from "../core/plan.js"
import { finishedAfter, type RunRecord, type StepRecord } from "../core/record.js"
import { pendingRecord } from "../core/fold.js"
import { openArtifact } from "../core/run-artifacts.js"
import { keyMissing, readSealed, writeSealed, type RecordOrigin } from "../core/sealed.js"
import { predecessors, type AnyStep } from "../core/step.js"

export interface RecordSource {
  readonly pipeline: Pipeline
  readonly job: Job
  readonly runDir: string
  readonly origin: RecordOrigin
  readonly facts: Facts
  /** The key of GANTRY_RECORD_KEY, where this job has it. */
  readonly key: string | undefined
}

/**
 * What earlier jobs of the run did, read from what they left and verified; and what an earlier attempt of this job itself
 * finished. A step whose condition does not hold has no job, and so no record: it counts as skipped, as it would be in one process.
 * @throws RECORD-MISSING, RECORD-FORGED, RECORD-UNSEALED
 */
export async function earlierRecords(source: RecordSource): Promise<readonly StepRecord[]> {
  const { pipeline, job, runDir, origin, facts, key } = source
  const before = ancestors(pipeline, job)
  const gated = gateOf(pipeline, job)
  const demanded = gated !== undefined
  if (demanded && key === undefined) throw keyMissing(`Job ${job.name}, which has to do with ${gated.id},`)

  const direct = new Set(job.steps.flatMap(predecessors))
  const records: StepRecord[] = []
  const missing: AnyStep[] = []
  for (const s of before) {
    const record = await readSealed(runDir, origin, s.id, { key, demanded })
    if (record !== undefined) records.push(sameStep(record, s))
    else if (s.when !== undefined && whyNot(s.when, facts) !== undefined) records.push(skippedRecord(s, facts))
    else if (direct.has(s)) missing.push(s)
  }
  if (missing.length > 0) throw missingFault(source, missing)
  for (const s of job.steps) {
    const own = await readSealed(runDir, origin, s.id, { key, demanded })
    if (own?.status !== "success" || !isFresh(own, s, records) || !(await hasArtifacts(runDir, own))) continue
    records.push(sameStep(own, s))
  }
  return records
}

/** What an earlier attempt finished counts only when nothing before it was done again since. */
function isFresh(own: StepRecord, s: AnyStep, records: readonly StepRecord[]): boolean {
  return predecessors(s).every((p) => {
    const record = records.find((r) => r.id === p.id)
    return record !== undefined && !finishedAfter(record, own)
  })
}

/** Seals the records of a job's steps, for the jobs behind it. What has not ended has none. @throws DISK-FULL, FILE-DENIED */
export async function sealRecords(
  record: RunRecord,
  to: Pick<RecordSource, "job" | "runDir" | "origin" | "key">,
): Promise<void> {
  for (const { id } of to.job.steps) {
    const step = record.steps.find((s) => s.id === id)
    if (step === undefined || step.status === "pending" || step.status === "running") continue
    await writeSealed(to.runDir, to.origin, step, to.key)
  }
}

/** The gate that a job is, or that stands before it: then nothing counts that is not sealed with a key. */
export function gateOf(pipeline: Pipeline, job: Job): AnyStep | undefined {
  return [...ancestors(pipeline, job), ...job.steps].find((s) => s.kind === "gate")
}

/** Everything that comes before a job, data and order, however far. */
export function ancestors(pipeline: Pipeline, job: Job): readonly AnyStep[] {
  const found = new Set<AnyStep>()
  const open: AnyStep[] = [...job.steps]
  for (let s = open.pop(); s !== undefined; s = open.pop()) {
    for (const p of predecessors(s)) {
      if (found.has(p)) continue
      found.add(p)
      open.push(p)
    }
  }
  return pipeline.steps.filter((s) => found.has(s) && !job.steps.includes(s))
}

/** A large file may be left out of the artifacts: then the step that made it is done again, and not its record believed. */
async function hasArtifacts(runDir: string, record: StepRecord): Promise<boolean> {
  for (const artifact of record.artifacts) {
    const there = await openArtifact(runDir, artifact).catch(() => undefined)
    if (there === undefined) return false
  }
  return true
}

/** Jobs of one pipeline have one graph, unless they disagree about which services the change affects. */
function sameStep(record: StepRecord, s: AnyStep): StepRecord {
  const node = nodeOf(s)
  const edges = (needs: readonly string[]) => [...needs].sort().join(" ")
  if (record.kind === node.kind && edges(record.needs) === edges(node.needs)) return record
  throw fault({
    code: "RUN-PIPELINE-CHANGED",
    kind: "usage",
    message: `The job that did ${s.id} had another pipeline than this one`,
    reason: `There it came after ${record.needs.join(", ") || "nothing"}, here after ${node.needs.join(", ") || "nothing"}.`,
    hint: "All jobs have to see the same changes: let every job clone alike (GIT_DEPTH: 0), then start a new pipeline.",
  })
}

/** Of a step whose condition does not hold: as the scheduler records it where all steps share a process. */
export function skippedRecord(s: AnyStep, facts: Facts): StepRecord {
  const at = new Date().toISOString()
  const reason = s.when === undefined ? undefined : whyNot(s.when, facts)
  return { ...pendingRecord(nodeOf(s)), status: "skipped", reason, startedAt: at, finishedAt: at }
}

function missingFault({ job, runDir }: RecordSource, missing: readonly AnyStep[]) {
  const ids = missing.map((s) => s.id).join(", ")
  return fault({
    code: "RECORD-MISSING",
    kind: "usage",
    message: `Job ${job.name} needs ${ids}, of which there is no record`,
    reason: `Nothing has been run. ${missing.map((s) => `${runDir}/steps/${s.id}/sealed.json`).join(", ")} did not come with the artifacts of the jobs before: they have not run, their artifacts expired, or \`needs\` does not fetch them.`,
    hint: `Run the job of ${missing[0]?.id ?? "it"} (again), then this one; \`gantry generate gitlab --check\` tells whether .gitlab-ci.yml is up to date.`,
  })
}
