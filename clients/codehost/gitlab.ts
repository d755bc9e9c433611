import { Gitlab } from "@gitbeaker/rest"
import { z } from "zod"
import { fault } from "../../core/errors.js"
import type { CodeHost } from "./host.js"

/** What is read of GitLab's answers (https://docs.gitlab.com/api/merge_requests, /merge_request_approvals, /discussions). */
const User = z.object({ username: z.string() })
const MergeRequest = z.object({ title: z.string(), web_url: z.string(), author: User })
const Approvals = z.object({
  approvals_required: z.number().nullish(),
  approved_by: z.array(z.object({ user: User })).nullish(),
})
const Discussions = z.array(
  z.object({
    notes: z.array(
      z.object({ body: z.string(), author: User, resolvable: z.boolean(), resolved: z.boolean().nullish() }),
    ),
  }),
)

/** @param options.project Numeric id or path. @param options.host Base address of the instance, self-managed or not. */
export function gitlabHost(options: {
  readonly host: string
  readonly token: string
  readonly project: string
}): CodeHost {
  const api = new Gitlab({ host: options.host, token: options.token, queryTimeout: 30_000 })
  return {
    async review(mergeRequest) {
      const iid = Number(mergeRequest)
      try {
        const [request, approvals, discussions] = await Promise.all([
          api.MergeRequests.show(options.project, iid),
          api.MergeRequestApprovals.showConfiguration(options.project, { mergerequestIId: iid }),
          api.MergeRequestDiscussions.all(options.project, iid),
        ])
        const { title, web_url, author } = MergeRequest.parse(request)
        const { approvals_required, approved_by } = Approvals.parse(approvals)
        const open = Discussions.parse(discussions).filter((d) =>
          d.notes.some((n) => n.resolvable && n.resolved !== true),
        )
        return {
          title,
          url: web_url,
          author: author.username,
          approvedBy: (approved_by ?? []).map((a) => a.user.username),
          required: approvals_required ?? 0,
          unresolved: open.map(({ notes: [first] }) => ({
            by: first?.author.username ?? "?",
            text: first?.body.split("\n")[0] ?? "",
          })),
        }
      } catch (cause) {
        throw unreachable(options.host, mergeRequest, cause)
      }
    },
  }
}

function unreachable(host: string, mergeRequest: string, cause: unknown) {
  const status = statusOf(cause)
  const denied = status === 401 || status === 403 || status === 404
  return fault({
    code: denied ? "CODEHOST-DENIED" : "CODEHOST-UNAVAILABLE",
    kind: "errored",
    message: denied
      ? `GitLab at ${host} does not show merge request ${mergeRequest} (${status})`
      : `GitLab at ${host} cannot be asked about merge request ${mergeRequest}`,
    reason: (cause as Error).message,
    hint: denied
      ? "The token in GITLAB_TOKEN needs the scope read_api and access to the project."
      : "Check the address in CI_SERVER_URL and whether GitLab is up, then `gantry resume` the run.",
    cause,
  })
}

/** gitbeaker's request errors carry the response in their cause. */
function statusOf(error: unknown): number | undefined {
  const response = (error as { cause?: { response?: { status?: number } } }).cause?.response
  return response?.status
}
