import { z } from "zod"
import { ErrorSchema, RunRecord, StepRecord } from "../../core/record.js"
import { Report } from "../../core/reports.js"
import { stepDuration } from "../timing.js"
import type { CiInput } from "./input.js"

/** How many failures and findings of a step a summary names; the counts are always whole. */
const shown = 50
const longest = 2000

const SummaryStep = StepRecord.pick({
  id: true,
  kind: true,
  status: true,
  stage: true,
  service: true,
  environment: true,
  cached: true,
  reason: true,
  attempts: true,
  startedAt: true,
  finishedAt: true,
}).extend({
  /** Wall time. */
  seconds: z.number().optional(),
  error: ErrorSchema.omit({ stack: true }).optional(),
  /** As published, long texts cut: tests with their failures, findings, quality gate, image, deployment, approval. */
  reports: z.array(Report),
})

/**
 * `summary.json` of a CI job: small, and all that a merge-request comment needs. `schema` rises when a reader would break.
 */
export const JobSummary = z.object({
  schema: z.literal(1),
  run: z.string(),
  pipeline: z.string(),
  job: z.string(),
  commit: z.string(),
  services: z.array(z.string()),
  /** Of the job: that of its steps. */
  status: RunRecord.shape.status,
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  /** Why nothing was run, where the job came to no run at all. */
  error: ErrorSchema.omit({ stack: true }).optional(),
  /** The job's own steps. */
  steps: z.array(SummaryStep),
})
export type JobSummary = z.infer<typeof JobSummary>

/** @throws nothing: what comes out is what `JobSummary` reads */
export function jobSummary({ record, job, steps }: Pick<CiInput, "record" | "job" | "steps">): JobSummary {
  return JobSummary.parse({
    schema: 1,
    run: record.id,
    pipeline: record.pipeline,
    job,
    commit: record.commit,
    services: record.services,
    status: record.status,
    startedAt: record.startedAt,
    finishedAt: record.finishedAt,
    error: record.error,
    steps: steps.map((step) => {
      const took = stepDuration(step)
      return {
        ...step,
        ...(took === undefined ? {} : { seconds: took / 1000 }),
        reports: step.reports.map(shortened),
      }
    }),
  })
}

function shortened(report: Report): Report {
  const cut = (text: string) => (text.length > longest ? `${text.slice(0, longest)} …` : text)
  if (report.kind === "tests") {
    const failures = report.failures.slice(0, shown)
    return { ...report, failures: failures.map(({ name, message }) => ({ name: cut(name), message: cut(message) })) }
  }
  if (report.kind !== "findings") return report
  // Blocking ones come first: they must not fall off the end.
  const items = [...report.items.filter((i) => i.blocking), ...report.items.filter((i) => !i.blocking)]
  return { ...report, items: items.slice(0, shown).map((item) => ({ ...item, title: cut(item.title) })) }
}
