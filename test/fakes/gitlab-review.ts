import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"

export interface FakeReview {
  readonly iid: number
  readonly commit: string
  author: string
  approvedBy: string[]
  /** null: the free tier, which has no approval rules. */
  approvalsRequired: number | null
  discussions: { by: string; body: string; resolvable: boolean; resolved?: boolean; path?: string; line?: number }[]
}

/**
 * The part of GitLab's REST API v4 that tells about a review, over a real socket.
 * https://docs.gitlab.com/api/merge_requests/ · merge_request_approvals/ · discussions/
 */
export async function fakeGitLab(options: {
  readonly project: string
  readonly token: string
  readonly review: FakeReview
}) {
  const { review, token } = options
  const state = { status: undefined as number | undefined, requests: [] as string[] }
  const base = `/api/v4/projects/${encodeURIComponent(options.project)}`
  const request = `${base}/merge_requests/${review.iid}`
  const user = (username: string) => ({ id: username.length, username, name: username })
  const server = createServer((incoming, response) => {
    const { pathname, searchParams } = new URL(incoming.url ?? "/", "http://fake")
    state.requests.push(pathname)
    const answer = (status: number, body: unknown, headers = {}) => {
      response.writeHead(status, { "content-type": "application/json", ...headers })
      response.end(JSON.stringify(body))
    }
    const mr = {
      iid: review.iid,
      state: "opened",
      author: user(review.author),
      web_url: `https://gitlab.example/${options.project}/-/merge_requests/${review.iid}`,
    }
    if (state.status !== undefined) return answer(state.status, { message: "broken on purpose" })
    if (incoming.headers["private-token"] !== token) return answer(401, { message: "401 Unauthorized" })
    switch (pathname) {
      case `${base}/repository/commits/${review.commit}/merge_requests`:
        return answer(200, [{ ...mr, iid: 1, state: "closed" }, mr])
      case request:
        return answer(200, mr)
      case `${request}/approvals`:
        return answer(200, {
          iid: review.iid,
          approvals_required: review.approvalsRequired,
          approved_by: review.approvedBy.map((by) => ({ user: user(by) })),
        })
      case `${request}/discussions`: {
        // Two pages, as GitLab does with more than `per_page`.
        const page = Number(searchParams.get("page") ?? 1)
        const half = Math.ceil(review.discussions.length / 2)
        const part = page === 1 ? review.discussions.slice(0, half) : review.discussions.slice(half)
        const { port } = server.address() as AddressInfo
        const next = `<http://127.0.0.1:${port}${request}/discussions?page=2&per_page=100>; rel="next"`
        const notes = part.map((d, i) => ({
          id: String(i),
          notes: [
            {
              body: d.body,
              author: user(d.by),
              resolvable: d.resolvable,
              ...(d.resolved === undefined ? {} : { resolved: d.resolved }),
              ...(d.path === undefined ? {} : { position: { new_path: d.path, new_line: d.line ?? null } }),
            },
          ],
        }))
        return answer(200, notes, page === 1 && review.discussions.length > 1 ? { link: next } : {})
      }
      default:
        return answer(404, { message: "404 Not found" })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return Object.assign(state, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
}
