import type { RunRecord, StepRecord } from "../core/record.js"

/** Where the time of a run went. All in milliseconds. */

/** How long a step took, or has taken until `now` while it runs. Undefined when it never started. */
export function stepDuration(step: StepRecord, now?: number): number | undefined {
  if (step.startedAt === undefined) return undefined
  const end = step.finishedAt === undefined ? now : Date.parse(step.finishedAt)
  return end === undefined ? undefined : Math.max(0, end - Date.parse(step.startedAt))
}

/** From the first start to the end, waiting for people included. */
export function wallTime(record: RunRecord, now?: number): number | undefined {
  const end = record.finishedAt === undefined ? now : Date.parse(record.finishedAt)
  return end === undefined ? undefined : Math.max(0, end - Date.parse(record.startedAt))
}

export interface Span {
  readonly from: number
  readonly to: number
}

/** The stretches in which at least one step ran, in order. */
export function busySpans(record: RunRecord, now?: number): readonly Span[] {
  const spans = record.steps
    .flatMap((step): Span[] => {
      const took = stepDuration(step, now)
      if (took === undefined || step.startedAt === undefined) return []
      const from = Date.parse(step.startedAt)
      return [{ from, to: from + took }]
    })
    .sort((a, b) => a.from - b.from)
  const merged: { from: number; to: number }[] = []
  for (const span of spans) {
    const last = merged[merged.length - 1]
    if (last !== undefined && span.from <= last.to) last.to = Math.max(last.to, span.to)
    else merged.push({ ...span })
  }
  return merged
}

/** Time in which Gantry was at work: a run that waited a night for its approval has not taken a night. */
export function workTime(record: RunRecord, now?: number): number {
  return busySpans(record, now).reduce((sum, span) => sum + span.to - span.from, 0)
}

/**
 * The chain of steps that made the run as long as it was: from the step that ended last, back through whichever of its
 * needs ended last. Shortening anything else shortens nothing. A step that runs ends now, as far as is known.
 */
export function criticalPath(record: RunRecord, now = Date.now()): readonly string[] {
  const byId = new Map(record.steps.map((step) => [step.id, step]))
  const ran = (step: StepRecord) => step.status !== "skipped" && step.startedAt !== undefined
  // What runs has not ended before now.
  const ended = (step: StepRecord) => (step.finishedAt === undefined ? now : Date.parse(step.finishedAt))
  const latest = (steps: readonly StepRecord[]) =>
    steps
      .filter(ran)
      .reduce<StepRecord | undefined>((a, b) => (a === undefined || ended(b) > ended(a) ? b : a), undefined)
  const path: string[] = []
  let step = latest(record.steps)
  while (step !== undefined && !path.includes(step.id)) {
    path.unshift(step.id)
    step = latest(step.needs.flatMap((id) => byId.get(id) ?? []))
  }
  return path
}
