import type { CodeHost } from "../../clients/codehost/index.js"
import { toErrorRecord } from "../../core/errors.js"
import type { JobSummary } from "../../report/ci/summary.js"
import { reportsOf } from "./compare.js"

/**
 * Tells the host what runs where, for what it does not know by its own jobs. Never throws.
 * @returns what went wrong, a line each
 */
export async function recordDeployments(
  host: Pick<CodeHost, "recordDeployment">,
  summary: JobSummary,
  source: { readonly ref: string; readonly tag: boolean },
): Promise<readonly string[]> {
  const problems: string[] = []
  const environments = new Map(reportsOf(summary, "deployment").map(({ report }) => [report.environment, report]))
  for (const [environment, { url }] of environments) {
    const failed = summary.steps.some(
      (step) => step.environment === environment && ["failed", "errored"].includes(step.status),
    )
    try {
      const state = failed ? "failed" : "success"
      await host.recordDeployment({ environment, commit: summary.commit, ...source, state, url })
    } catch (error) {
      const { message, reason } = toErrorRecord(error)
      problems.push(`${environment}: ${message}${reason === undefined ? "" : ` (${reason})`}`)
    }
  }
  return problems
}
