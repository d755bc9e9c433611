import type { CodeHost } from "../../clients/codehost/index.js"
import { toErrorRecord } from "../../core/errors.js"
import type { JobSummary } from "../../report/ci/summary.js"
import type { CiRun, Env } from "../variables.js"
import { feedbackJob, parseSummary } from "./read.js"

/** Number of the merge request to comment on; undefined when there is none. */
export function mergeRequestOf(ci: CiRun, env: Env): number | undefined {
  if (ci.mergeRequest !== undefined) return Number(ci.mergeRequest)
  // A branch's own pipeline, not its merge request's: "group/project!7,group/project!9", at most four.
  const open = (env["CI_OPEN_MERGE_REQUESTS"] ?? "").split(",")
  const found = open.map((text) => /!(\d+)$/.exec(text)?.[1]).find((number) => number !== undefined)
  return found === undefined ? undefined : Number(found)
}

/** The branch that a change is to go to, with which it is compared. */
export function targetOf(env: Env): string | undefined {
  const names = ["CI_MERGE_REQUEST_TARGET_BRANCH_NAME", "GITHUB_BASE_REF", "CI_DEFAULT_BRANCH"]
  return names.map((name) => env[name]).find((name) => name !== undefined && name !== "")
}

/** Where the summary of a whole pipeline lies, from the project. */
export const summaryPath = `.gantry/ci/${feedbackJob}/summary.json`

/** GitHub finds artifacts by a name of their own; this is the one that the generated workflow gives to the feedback's. */
const githubArtifact = "gantry-report"

/** What the latest pipeline of a branch said. Never throws: without it nothing is compared. */
export async function baselineOf(
  host: Pick<CodeHost, "branchFile" | "place">,
  branch: string,
  path: string,
): Promise<{ readonly summary?: JobSummary; readonly problem?: string }> {
  try {
    const job = host.place.kind === "github" ? githubArtifact : feedbackJob
    const text = await host.branchFile({ branch, job, path })
    if (text === undefined) return {}
    const read = parseSummary(text)
    return typeof read === "string" ? { problem: `what ${branch} left cannot be read: ${read}` } : { summary: read }
  } catch (error) {
    const { message, reason } = toErrorRecord(error)
    return { problem: reason === undefined ? message : `${message} (${reason})` }
  }
}
