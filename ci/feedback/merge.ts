import type { JobSummary } from "../../report/ci/summary.js"
import { feedbackJob } from "./read.js"

type Status = JobSummary["status"]

/** The worst first: what one job says of a pipeline outweighs what the others say. */
const order: readonly Status[] = ["errored", "failed", "cancelled", "running", "waiting", "success"]

/**
 * What all jobs say, as one: each step once, as its last attempt left it. In the form of a job's own, because the branch's one
 * is what later pipelines compare themselves with.
 */
export function mergeSummaries(summaries: readonly JobSummary[]): JobSummary | undefined {
  const [first] = summaries
  if (first === undefined) return undefined
  const steps = new Map<string, JobSummary["steps"][number]>()
  for (const step of summaries.flatMap((summary) => summary.steps)) {
    const other = steps.get(step.id)
    if (other === undefined || (step.finishedAt ?? "") >= (other.finishedAt ?? "")) steps.set(step.id, step)
  }
  const error = summaries.find((summary) => summary.error !== undefined)?.error
  const ends = summaries.flatMap((summary) => summary.finishedAt ?? [])
  return {
    schema: 1,
    run: first.run,
    pipeline: first.pipeline,
    job: feedbackJob,
    commit: first.commit,
    services: [...new Set(summaries.flatMap((summary) => summary.services))],
    status: order.find((status) => summaries.some((summary) => summary.status === status)) ?? "success",
    startedAt: summaries.map((summary) => summary.startedAt).sort()[0] ?? first.startedAt,
    ...(ends.length === 0 ? {} : { finishedAt: ends.sort().at(-1) }),
    ...(error === undefined ? {} : { error }),
    steps: [...steps.values()].sort((a, b) => (a.startedAt ?? "").localeCompare(b.startedAt ?? "")),
  }
}
