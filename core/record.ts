import { z } from "zod"
import { Artifact } from "./artifacts.js"
import { Report } from "./reports.js"

export const ErrorSchema = z.object({
  code: z.string(),
  kind: z.enum(["failed", "errored", "usage", "waiting", "cancelled"]),
  message: z.string(),
  reason: z.string().optional(),
  hint: z.string().optional(),
  stack: z.string().optional(),
})

export const StepRecord = z.object({
  id: z.string(),
  kind: z.enum(["pure", "effect", "gate"]),
  status: z.enum(["pending", "running", "success", "failed", "errored", "skipped", "cancelled", "waiting"]),
  needs: z.array(z.string()),
  stage: z.string().optional(),
  service: z.string().optional(),
  environment: z.string().optional(),
  startedAt: z.string().optional(),
  finishedAt: z.string().optional(),
  attempts: z.number().int(),
  cached: z.boolean(),
  /** Why it was skipped, or how it was settled after a crash. */
  reason: z.string().optional(),
  fingerprint: z.string().optional(),
  /** Key of the effect that was started and whose end is not known yet. */
  effect: z.string().optional(),
  output: z.json().optional(),
  artifacts: z.array(Artifact),
  reports: z.array(Report),
  error: ErrorSchema.optional(),
})
export type StepRecord = z.infer<typeof StepRecord>

/** `run.json`: the interface for everything that reads runs. `schema` rises when a reader would break. */
export const RunRecord = z.object({
  schema: z.literal(1),
  id: z.string(),
  pipeline: z.string(),
  /** The one service that is delivered, or null when there are several: then `services` lists them. */
  service: z.string().nullable(),
  services: z.array(z.string()),
  commit: z.string(),
  dirty: z.boolean(),
  selection: z.object({
    services: z.array(z.string()).optional(),
    until: z.string().optional(),
    only: z.string().optional(),
  }),
  /** Branch, tag, merge request … as they were when the run began. */
  facts: z.record(z.string(), z.json()),
  status: z.enum(["running", "success", "failed", "errored", "cancelled", "waiting"]),
  startedAt: z.string(),
  finishedAt: z.string().optional(),
  error: ErrorSchema.optional(),
  steps: z.array(StepRecord),
})
export type RunRecord = z.infer<typeof RunRecord>

const blocked = "not run: "

/** The reason of a step that was skipped because of what stands before it. @param by e.g. "catalog.scan failed" */
export const blockedReason = (by: string): string => blocked + by

/** What kept a skipped step from running; undefined when it was skipped by its condition (or not at all). */
export function isBlocked(s: StepRecord): string | undefined {
  return s.status === "skipped" && s.reason?.startsWith(blocked) === true ? s.reason.slice(blocked.length) : undefined
}

/** Whether a step was done (again) after another one, which read its output, had begun. */
export function finishedAfter(before: StepRecord, s: StepRecord): boolean {
  if (before.status === "skipped") return false
  return Date.parse(before.finishedAt ?? "") > Date.parse(s.startedAt ?? "")
}

/** Success stays, and so does a skip by condition; all else is tried again by `gantry resume`. */
export function needsAnotherRun(s: StepRecord): boolean {
  return s.status !== "success" && (s.status !== "skipped" || isBlocked(s) !== undefined)
}
