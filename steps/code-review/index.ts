import { gitlabHost } from "../../clients/codehost/gitlab.js"
import type { CodeHost, Review } from "../../clients/codehost/host.js"
import { z } from "zod"
import { mergeRequest } from "../../core/condition.js"
import { fault } from "../../core/errors.js"
import { step, type MaybeStep, type Step } from "../../core/step.js"
import type { Source } from "../outputs.js"
import type { Settings } from "../settings.js"

export const ReviewResult = z.object({ url: z.string(), approvedBy: z.array(z.string()), required: z.number() })
export type ReviewResult = z.infer<typeof ReviewResult>

/**
 * Asks the code host whether the merge request is reviewed. Skipped when there is none. Address, project and number come
 * from GitLab's variables (CI_SERVER_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID) or from GANTRY_MERGE_REQUEST.
 */
export function codeReview(_settings: Settings, wiring: { readonly source: Step<Source> }): MaybeStep<ReviewResult> {
  return step("code-review", {
    needs: { source: wiring.source },
    when: mergeRequest(),
    stage: "review",
    engine: false,
    cache: false,
    secrets: ["GITLAB_TOKEN"],
    output: ReviewResult,
    retry: { attempts: 3, backoff: 2000 },
    run: async ({ secrets, log, publish }) => {
      const { CI_SERVER_URL, CI_PROJECT_ID, CI_MERGE_REQUEST_IID, GANTRY_MERGE_REQUEST } = process.env
      const number = GANTRY_MERGE_REQUEST ?? CI_MERGE_REQUEST_IID
      if (CI_PROJECT_ID === undefined || number === undefined) throw unconfigured()
      const host = gitlabHost({
        host: CI_SERVER_URL ?? "https://gitlab.com",
        token: secrets.GITLAB_TOKEN.plaintext(),
        project: CI_PROJECT_ID,
      })
      const review = await reviewed(host, number)
      publish({ kind: "link", title: `Merge request: ${review.title}`, url: review.url })
      log.info(`Approved by ${review.approvedBy.join(", ") || "nobody"}; ${review.required} required`)
      return { url: review.url, approvedBy: [...review.approvedBy], required: review.required }
    },
  })
}

/** The kernel: one other person at least, as many as the host asks for, no open thread. @throws REVIEW-MISSING, REVIEW-OPEN */
export async function reviewed(host: CodeHost, mergeRequest: string): Promise<Review> {
  const review = await host.review(mergeRequest)
  const others = review.approvedBy.filter((name) => name.toLowerCase() !== review.author.toLowerCase())
  const required = Math.max(1, review.required)
  if (others.length < required) {
    throw fault({
      code: "REVIEW-MISSING",
      kind: "failed",
      message: `${required - others.length} more ${required - others.length === 1 ? "approval is" : "approvals are"} needed for ${review.url}`,
      reason: `Approved by: ${others.join(", ") || "nobody"}. The author, ${review.author}, does not count.`,
      hint: "Ask a colleague for a review, then `gantry resume` the run.",
    })
  }
  if (review.unresolved.length > 0) {
    throw fault({
      code: "REVIEW-OPEN",
      kind: "failed",
      message: `${review.unresolved.length} threads of ${review.url} are not resolved`,
      reason: review.unresolved.map((t) => `${t.by}: ${t.text}`).join("\n"),
      hint: "Answer and resolve them, then `gantry resume` the run.",
    })
  }
  return { ...review, approvedBy: others }
}

function unconfigured() {
  return fault({
    code: "REVIEW-UNCONFIGURED",
    kind: "usage",
    message: "It is not known which project the merge request belongs to",
    hint: "Set CI_SERVER_URL and CI_PROJECT_ID (GitLab does in its jobs), or leave out --merge-request.",
  })
}
