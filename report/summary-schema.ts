import { z } from "zod"
import { ErrorSchema, StepRecord } from "../core/record.js"
import { DeploymentReport, FindingsReport, ImageReport, QualityGateReport, TestReport } from "../core/reports.js"

/** Which step of which service something was said by. */
const by = { step: z.string(), service: z.string().optional() }

/**
 * `.gantry/ci/<job>/summary.json`: what a comment on a merge request needs to know of a CI job, and no more. Small on
 * purpose: the one of the target branch is fetched through the code host's API to say what is new. The last job of a
 * pipeline writes one over all jobs, in the same form. `schema` rises when a reader would break.
 */
export const JobSummary = z.object({
  schema: z.literal(1),
  run: z.string(),
  pipeline: z.string(),
  commit: z.string(),
  /** Name of the CI job. */
  job: z.string(),
  /** The steps that this job ran or tried to, not those that it imported. */
  steps: z.array(
    z.object({
      id: z.string(),
      kind: StepRecord.shape.kind,
      status: StepRecord.shape.status,
      stage: z.string().optional(),
      service: z.string().optional(),
      environment: z.string().optional(),
      startedAt: z.string().optional(),
      finishedAt: z.string().optional(),
      cached: z.boolean(),
      /** Why it was skipped. */
      reason: z.string().optional(),
      /** Masked, as in the record; without the stack. */
      error: ErrorSchema.omit({ stack: true }).optional(),
    }),
  ),
  /** Test suites. At most 20 failures each, messages cut to 2,000 characters; `failed` counts all. */
  tests: z.array(
    TestReport.omit({ kind: true, failures: true }).extend({
      ...by,
      failures: z.array(z.object({ name: z.string(), message: z.string() })),
    }),
  ),
  quality: z.array(QualityGateReport.omit({ kind: true }).extend(by)),
  /** What scanners found. `items` may be all of them: ids are compared with those of the target branch. */
  findings: z.array(FindingsReport.omit({ kind: true }).extend(by)),
  images: z.array(ImageReport.omit({ kind: true }).extend(by)),
  deployments: z.array(
    DeploymentReport.omit({ kind: true }).extend({ step: z.string() }),
  ),
  approvals: z.array(
    z.object({
      step: z.string(),
      decision: z.enum(["approved", "rejected"]),
      by: z.string(),
      reason: z.string(),
      at: z.string(),
    }),
  ),
  /** Pages that a step pointed to, e.g. the merge request. */
  links: z.array(z.object({ step: z.string(), title: z.string(), url: z.string() })),
})
export type JobSummary = z.infer<typeof JobSummary>

/** Name of the file in `.gantry/ci/<job>/`. */
export const summaryFile = "summary.json"
