import { fault, type Fault } from "../../core/errors.js"
import type { Review } from "../../clients/codehost/index.js"

/** Approvals that count: each person once, and never the author. */
export function counted(review: Pick<Review, "approvals" | "author">): readonly string[] {
  return [...new Set(review.approvals.map((approval) => approval.by))].filter((by) => by !== review.author)
}

/** Undefined when the review is done. At least one other person has to approve, also where the host demands nobody. */
export function reviewVerdict(review: Review, sign = "!"): Fault | undefined {
  const { number, url, author, unresolved } = review
  const by = counted(review)
  const required = Math.max(1, review.required)
  const missing = required - by.length
  const problems = [
    ...(review.conflicts ? ["it has conflicts with its target branch"] : []),
    ...(missing > 0
      ? [
          `${by.length} of ${required} approvals${by.length === 0 ? "" : ` (${by.join(", ")})`}` +
            (review.approvals.some((approval) => approval.by === author) ? `; ${author}'s own does not count` : ""),
        ]
      : []),
    ...unresolved.map(
      (thread) =>
        `unresolved, by ${thread.by}${thread.where === undefined ? "" : ` at ${thread.where}`}: ${shorten(thread.text)}`,
    ),
  ]
  if (problems.length === 0) return undefined
  const what = [
    ...(review.conflicts ? ["it has conflicts"] : []),
    ...(missing > 0 ? [`${missing} approval${missing === 1 ? " is" : "s are"} missing`] : []),
    ...(unresolved.length > 0 ? [`${unresolved.length} thread${unresolved.length === 1 ? "" : "s"} not resolved`] : []),
  ]
  return fault({
    code: "REVIEW-OPEN",
    kind: "failed",
    message: `Merge request ${sign}${number} is not reviewed: ${what.join(", ")}`,
    reason: problems.join("\n"),
    hint: `Have it approved and its threads resolved at ${url}, then run the pipeline again.`,
  })
}

function shorten(text: string): string {
  const line = text.trim().split("\n")[0] ?? ""
  return line.length > 100 ? `${line.slice(0, 100)}…` : line
}
