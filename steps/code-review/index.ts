import { z } from "zod"
import type { CodeHost } from "../../clients/codehost/index.js"
import { mergeRequest, type Condition } from "../../core/condition.js"
import { step, type Context, type Step } from "../../core/step.js"
import { codeHostOf } from "../code-host.js"
import type { Source } from "../outputs.js"
import type { Settings } from "../settings.js"
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
  settings: Settings,
  { source }: { readonly source: Step<Source> },
): Step<CodeReview, Condition> {
  return step("code-review", {
    needs: { source },
    when: mergeRequest(),
    stage: "code-review",
    engine: false,
    // Approvals come and go at the host: an old answer says nothing.
    cache: false,
    secrets: [settings.codeHost?.kind === "github" ? "GITHUB_TOKEN" : "GITLAB_TOKEN"],
    retry: { attempts: 3 },
    timeout: 5 * 60_000,
    output: CodeReview,
    run: async (context) => {
      const { needs, run, signal } = context
      const host = await codeHostOf(settings, { signal, mask: (value) => context.mask(value) })
      return runCodeReview(context, host, {
        number: Number(run.facts?.mergeRequest) || undefined,
        commit: needs.source.commit,
      })
    },
  })
}
/** @throws REVIEW-OPEN (failed), CODEHOST-UNAVAILABLE (errored), CODEHOST-DENIED, -NOT-FOUND, -WHERE (usage) */
export async function runCodeReview(
  context: Pick<Context<Record<never, never>, never>, "log" | "publish">,
  host: Pick<CodeHost, "review" | "place">,
  change: { readonly number?: number | undefined; readonly commit: string },
): Promise<CodeReview> {
  const review = await host.review(change)
  if (review === undefined) {
    context.log.warn(`the code host knows no merge request with commit ${change.commit.slice(0, 12)}`)
    return { approvedBy: [] }
  }
  context.publish({ kind: "link", title: `Merge request ${sign(host)}${review.number}`, url: review.url })
  const approvedBy = [...counted(review)]
  context.log.info(
    `${sign(host)}${review.number} by ${review.author}: approved by ${approvedBy.join(", ") || "nobody"}`,
  )
  const problem = reviewVerdict(review, sign(host))
  if (problem !== undefined) throw problem
  return { number: review.number, url: review.url, approvedBy }
}

/** How the hosts write the number of a merge request. */
const sign = (host: Pick<CodeHost, "place">) => (host.place.kind === "gitlab" ? "!" : "#")
