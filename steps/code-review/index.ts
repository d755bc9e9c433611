import { z } from "zod"
import { mergeRequest, type Condition } from "../../core/condition.js"
import { step, type Context, type Step } from "../../core/step.js"
import type { Source } from "../outputs.js"
import type { Settings } from "../settings.js"
import { gitlabHost, gitlabProject } from "./gitlab.js"
import type { CodeHost } from "./host.js"
import { counted, reviewVerdict } from "./verdict.js"

export const CodeReview = z.object({
  /** Of the merge request; undefined when the host knows none for the commit. */
  number: z.number().optional(),
  url: z.string().optional(),
  approvedBy: z.array(z.string()),
})
export type CodeReview = z.infer<typeof CodeReview>

/** Asks the code host whether the merge request is reviewed. Skipped where there is no merge request. */
export function codeReview(
  _settings: Settings,
  { source }: { readonly source: Step<Source> },
): Step<CodeReview, Condition> {
  return step("code-review", {
    needs: { source },
    when: mergeRequest(),
    stage: "code-review",
    engine: false,
    // Approvals come and go at the host: an old answer says nothing.
    cache: false,
    secrets: ["GITLAB_TOKEN"],
    retry: { attempts: 3 },
    timeout: 5 * 60_000,
    output: CodeReview,
    run: (context) => {
      const { needs, secrets } = context
      const at = gitlabProject(process.env, needs.source.origin)
      const number = Number(process.env["CI_MERGE_REQUEST_IID"]) || undefined
      const host = gitlabHost(at, secrets.GITLAB_TOKEN.plaintext())
      return runCodeReview(context, host, { number, commit: needs.source.commit })
    },
  })
}

/** @throws REVIEW-OPEN (failed), REVIEW-HOST (errored), REVIEW-DENIED and REVIEW-WHERE (usage) */
export async function runCodeReview(
  context: Pick<Context<Record<never, never>, never>, "log" | "publish">,
  host: CodeHost,
  change: { readonly number?: number | undefined; readonly commit: string },
): Promise<CodeReview> {
  const review = await host.review(change)
  if (review === undefined) {
    context.log.warn(`the code host knows no merge request with commit ${change.commit.slice(0, 12)}`)
    return { approvedBy: [] }
  }
  context.publish({ kind: "link", title: `Merge request !${review.number}`, url: review.url })
  const approvedBy = [...counted(review)]
  context.log.info(`!${review.number} by ${review.author}: approved by ${approvedBy.join(", ") || "nobody"}`)
  const problem = reviewVerdict(review)
  if (problem !== undefined) throw problem
  return { number: review.number, url: review.url, approvedBy }
}
