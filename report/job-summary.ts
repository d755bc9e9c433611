import { isBlocked, type RunRecord, type StepRecord } from "../core/record.js"
import type { Report } from "../core/reports.js"
import type { JobSummary } from "./summary-schema.js"

/** Failures of one suite that are kept, and characters of each message. */
const most = { failures: 20, message: 2000 }

/**
 * What a job says about its steps, for `summary.json`.
 * @param steps ids of the steps that belong to the job; undefined: all of the record
 */
export function summaryOf(record: RunRecord, job: string, steps?: readonly string[]): JobSummary {
  const own = record.steps.filter((s) => steps === undefined || steps.includes(s.id))
  const told = own.flatMap((s) => s.reports.map((report) => ({ s, report })))
  const all = <K extends Report["kind"]>(kind: K) =>
    told.filter((t): t is { s: StepRecord; report: Extract<Report, { kind: K }> } => t.report.kind === kind)
  const by = (s: StepRecord) => ({ step: s.id, ...(s.service === undefined ? {} : { service: s.service }) })
  return {
    schema: 1,
    run: record.id,
    pipeline: record.pipeline,
    commit: record.commit,
    job,
    steps: own.map(stepSummary),
    tests: all("tests").map(({ s, report: { kind: _, failures, ...rest } }) => ({
      ...rest,
      ...by(s),
      failures: failures
        .slice(0, most.failures)
        .map(({ name, message }) => ({ name, message: message.slice(0, most.message) })),
    })),
    quality: all("quality-gate").map(({ s, report: { kind: _, ...rest } }) => ({ ...rest, ...by(s) })),
    findings: all("findings").map(({ s, report: { kind: _, ...rest } }) => ({ ...rest, ...by(s) })),
    images: all("image").map(({ s, report: { kind: _, ...rest } }) => ({ ...rest, ...by(s) })),
    deployments: all("deployment").map(({ s, report: { kind: _, ...rest } }) => ({ ...rest, step: s.id })),
    approvals: all("approval").map(({ s, report: { kind: _, evidenceHash: __, ...rest } }) => ({ ...rest, step: s.id })),
    links: all("link").map(({ s, report: { kind: _, ...rest } }) => ({ ...rest, step: s.id })),
  }
}

function stepSummary(s: StepRecord): JobSummary["steps"][number] {
  const { id, kind, status, stage, service, environment, startedAt, finishedAt, cached, error } = s
  const reason = s.reason ?? isBlocked(s)
  const { stack: _, ...told } = error ?? { stack: undefined }
  return {
    id,
    kind,
    status,
    cached,
    ...(stage === undefined ? {} : { stage }),
    ...(service === undefined ? {} : { service }),
    ...(environment === undefined ? {} : { environment }),
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(finishedAt === undefined ? {} : { finishedAt }),
    ...(reason === undefined ? {} : { reason }),
    ...(error === undefined ? {} : { error: told as NonNullable<JobSummary["steps"][number]["error"]> }),
  }
}

/** The summaries of several jobs as one, later ones last; a step that ran twice counts as it ended last. */
export function mergeSummaries(summaries: readonly JobSummary[], job: string): JobSummary | undefined {
  const [first] = summaries
  if (first === undefined) return undefined
  const owner = new Map(summaries.flatMap((s, index) => s.steps.map((step) => [step.id, index] as const)))
  const gather = <T extends { readonly step: string }>(pick: (s: JobSummary) => readonly T[]): T[] =>
    summaries.flatMap((s, index) => pick(s).filter((x) => owner.get(x.step) === index))
  return {
    schema: 1,
    run: first.run,
    pipeline: first.pipeline,
    commit: first.commit,
    job,
    steps: summaries.flatMap((s, index) => s.steps.filter((step) => owner.get(step.id) === index)),
    tests: gather((s) => s.tests),
    quality: gather((s) => s.quality),
    findings: gather((s) => s.findings),
    images: gather((s) => s.images),
    deployments: gather((s) => s.deployments),
    approvals: gather((s) => s.approvals),
    links: gather((s) => s.links),
  }
}
