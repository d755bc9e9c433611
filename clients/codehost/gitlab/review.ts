import { z } from "zod"
import type { Review } from "../host.js"
import type { Place } from "../place.js"
import { asked } from "../send.js"
import { Approvals, Discussion, MergeRequest } from "./answers.js"
import type { GitLabApi } from "./api.js"

/** The review of a merge request. The token needs the scope read_api and the role Reporter. */
export function review(
  at: Place,
  api: GitLabApi,
  { number, commit }: { readonly number?: number | undefined; readonly commit: string },
): Promise<Review | undefined> {
  return asked(at, "the review", async () => {
    const gitlab = await api.full("the review")
    const iid = number ?? openOne(await mergeRequests(at, api, commit))
    if (iid === undefined) return undefined
    const [request, approvals, discussions] = await Promise.all([
      gitlab.MergeRequests.show(at.project, iid),
      gitlab.MergeRequestApprovals.showConfiguration(at.project, { mergerequestIId: iid }),
      gitlab.MergeRequestDiscussions.all(at.project, iid, { perPage: 100 }),
    ])
    const { web_url: url, author, has_conflicts: conflicts } = MergeRequest.parse(request)
    const { approvals_required: required, approved_by: by } = Approvals.parse(approvals)
    return {
      number: iid,
      url,
      author: author.username,
      required: required ?? 0,
      approvals: (by ?? []).map(({ user }) => ({ by: user.username })),
      unresolved: z.array(Discussion).parse(discussions).flatMap(unresolvedThread),
      conflicts: conflicts === true,
    }
  })
}

/** Those whose merge requests brought a commit here; one that was closed brought nothing. */
export async function changeAuthors(at: Place, api: GitLabApi, commit: string): Promise<readonly string[]> {
  const found = await asked(at, "the merge requests of the commit", () => mergeRequests(at, api, commit))
  return [...new Set(found.filter((one) => one.state !== "closed").map((one) => one.author.username))]
}

async function mergeRequests(at: Place, api: GitLabApi, commit: string) {
  const gitlab = await api.full("merge requests")
  return z.array(MergeRequest).parse(await gitlab.Commits.allMergeRequests(at.project, commit))
}

function openOne(found: readonly z.infer<typeof MergeRequest>[]): number | undefined {
  return (found.find((request) => request.state === "opened") ?? found[0])?.iid
}

function unresolvedThread(discussion: z.infer<typeof Discussion>): Review["unresolved"] {
  const open = discussion.notes?.find((note) => note.resolvable === true && note.resolved !== true)
  if (open === undefined) return []
  const { new_path: path, new_line: line } = open.position ?? {}
  const where = typeof path !== "string" ? undefined : `${path}${typeof line === "number" ? `:${line}` : ""}`
  return [{ by: open.author.username, text: open.body, ...(where === undefined ? {} : { where }) }]
}
