import type { Report } from "../../core/reports.js"
import type { JobSummary } from "../../report/ci/summary.js"

type Step = JobSummary["steps"][number]
type Of<K extends Report["kind"]> = Extract<Report, { kind: K }>

/** The reports of one kind, each with its step. */
export function reportsOf<K extends Report["kind"]>(
  summary: JobSummary | undefined,
  kind: K,
): readonly { readonly step: Step; readonly report: Of<K> }[] {
  return (summary?.steps ?? []).flatMap((step) =>
    step.reports.flatMap((report) => (report.kind === kind ? [{ step, report: report as Of<K> }] : [])),
  )
}

export interface NewFinding {
  readonly service: string | undefined
  readonly tool: string
  readonly item: Of<"findings">["items"][number]
}

/**
 * Findings that the target branch does not have: by tool, service and id, not by place or version, which move. Undefined
 * when nothing is known of the branch.
 */
export function newFindings(now: JobSummary, before: JobSummary | undefined): readonly NewFinding[] | undefined {
  if (before === undefined) return undefined
  const key = (step: Step, tool: string, id: string) => [step.service ?? "", tool, id].join("\0")
  const known = new Set(
    reportsOf(before, "findings").flatMap(({ step, report }) =>
      report.items.map((item) => key(step, report.tool, item.id)),
    ),
  )
  const found = new Map<string, NewFinding>()
  for (const { step, report } of reportsOf(now, "findings")) {
    for (const item of report.items) {
      const id = key(step, report.tool, item.id)
      if (!known.has(id) && !found.has(id)) found.set(id, { service: step.service, tool: report.tool, item })
    }
  }
  return [...found.values()]
}

/** Bytes of an image now and on the target branch, by service. */
export function imageSizes(
  now: JobSummary,
  before: JobSummary | undefined,
): ReadonlyMap<string, { readonly size: number; readonly change: number | undefined }> {
  const sizes = (summary: JobSummary | undefined) =>
    new Map(
      reportsOf(summary, "image").flatMap(({ step, report }) =>
        report.size === undefined ? [] : [[step.service ?? step.id, report.size] as const],
      ),
    )
  const earlier = sizes(before)
  return new Map(
    [...sizes(now)].map(([service, size]) => {
      const old = earlier.get(service)
      return [service, { size, change: old === undefined ? undefined : size - old }]
    }),
  )
}
