import { z } from "zod"
import type { Review } from "../host.js"
import type { Place } from "../place.js"
import { asked, ifThere } from "../send.js"
import type { GitHubApi } from "./api.js"

type Change = { readonly number?: number | undefined; readonly commit: string }

/** The review of a pull request. Needs pull requests: read and contents: read. */
export function review(at: Place, api: GitHubApi, { number, commit }: Change): Promise<Review | undefined> {
  return asked(at, "the review", async () => {
    const client = await api.client("the review")
    const { owner, repo } = api
    const found = number ?? openOne(await pulls(api, commit))
    if (found === undefined) return undefined
    const at = { owner, repo, pull_number: found }
    const [{ data: pull }, reviews, unresolved] = await Promise.all([
      client.rest.pulls.get(at),
      client.paginate(client.rest.pulls.listReviews, { ...at, per_page: 100 }),
      threads(api, found),
    ])
    return {
      number: found,
      url: pull.html_url,
      author: pull.user.login,
      required: await requiredApprovals(api, pull.base.ref),
      approvals: approvers(reviews).map((by) => ({ by })),
      unresolved,
      // Null while GitHub still computes it.
      conflicts: pull.mergeable === false,
    }
  })
}

/** A later word of the same person replaces an earlier one; a mere comment does not. */
function approvers(
  reviews: readonly { readonly user: { readonly login: string } | null; readonly state: string }[],
): readonly string[] {
  const last = new Map<string, string>()
  for (const { user, state } of reviews) {
    if (user !== null && ["APPROVED", "CHANGES_REQUESTED", "DISMISSED"].includes(state)) last.set(user.login, state)
  }
  return [...last].filter(([, state]) => state === "APPROVED").map(([login]) => login)
}

/** Of the branch's rulesets; what a classic branch protection demands is shown to administrators alone. */
async function requiredApprovals(api: GitHubApi, branch: string): Promise<number> {
  const client = await api.client("the rules of the branch")
  const { owner, repo } = api
  const answer = await ifThere(
    client.rest.repos.getBranchRules({ owner, repo, branch, per_page: 100 }).catch((error: unknown) => {
      throw (error as { readonly cause?: unknown }).cause ?? error
    }),
  )
  const counts = (answer?.data ?? []).map((rule) =>
    rule.type === "pull_request" ? (rule.parameters?.required_approving_review_count ?? 0) : 0,
  )
  return Math.max(0, ...counts)
}

const Threads = z.object({
  repository: z.object({
    pullRequest: z.object({
      reviewThreads: z.object({
        pageInfo: z.object({ hasNextPage: z.boolean(), endCursor: z.string().nullish() }),
        nodes: z.array(
          z.object({
            isResolved: z.boolean(),
            path: z.string().nullish(),
            line: z.number().nullish(),
            comments: z.object({
              nodes: z.array(z.object({ body: z.string(), author: z.object({ login: z.string() }).nullish() })),
            }),
          }),
        ),
      }),
    }),
  }),
})

/** Whether a thread is resolved is told by the GraphQL API alone (docs.github.com/graphql: PullRequestReviewThread). */
const query = `query($owner: String!, $repo: String!, $number: Int!, $after: String) {
  repository(owner: $owner, name: $repo) { pullRequest(number: $number) { reviewThreads(first: 100, after: $after) {
    pageInfo { hasNextPage endCursor }
    nodes { isResolved path line comments(first: 1) { nodes { body author { login } } } }
  } } } }`

async function threads(api: GitHubApi, number: number): Promise<Review["unresolved"]> {
  const client = await api.client("review threads")
  const { owner, repo } = api
  const open: Review["unresolved"][number][] = []
  for (let after: string | null | undefined = null; after !== undefined;) {
    const answer = Threads.parse(await client.graphql(query, { owner, repo, number, after }))
    const { nodes, pageInfo } = answer.repository.pullRequest.reviewThreads
    for (const { isResolved, path, line, comments } of nodes) {
      if (isResolved) continue
      const [first] = comments.nodes
      const where = typeof path === "string" ? `${path}${typeof line === "number" ? `:${line}` : ""}` : undefined
      open.push({
        by: first?.author?.login ?? "?",
        text: first?.body ?? "",
        ...(where === undefined ? {} : { where }),
      })
    }
    after = pageInfo.hasNextPage ? (pageInfo.endCursor ?? undefined) : undefined
  }
  return open
}

/** Those whose pull requests brought a commit here; one that was closed without a merge brought nothing. */
export async function changeAuthors(at: Place, api: GitHubApi, commit: string): Promise<readonly string[]> {
  const found = await asked(at, "the pull requests of the commit", () => pulls(api, commit))
  const brought = found.filter((one) => one.state === "open" || one.merged_at !== null)
  return [...new Set(brought.flatMap((one) => (one.user === null ? [] : [one.user.login])))]
}

async function pulls(api: GitHubApi, commit: string) {
  const client = await api.client("pull requests")
  const { owner, repo } = api
  const { data } = await client.rest.repos.listPullRequestsAssociatedWithCommit({ owner, repo, commit_sha: commit })
  return data
}

function openOne(found: readonly { readonly number: number; readonly state: string }[]): number | undefined {
  return (found.find((one) => one.state === "open") ?? found[0])?.number
}
