import { fault, isFault } from "../../core/errors.js"
import type { CodeHost, Review } from "./host.js"

export interface GitLabProject {
  /** `https://gitlab.example`, with a path where GitLab has one. */
  readonly url: string
  /** Number, or path with its groups. */
  readonly project: string
}

/**
 * Where the project is: GitLab CI says it, elsewhere it is read off origin's address.
 * @throws REVIEW-WHERE when neither is known
 */
export function gitlabProject(
  env: Readonly<Record<string, string | undefined>>,
  origin: string | undefined,
): GitLabProject {
  const { CI_SERVER_URL: server, CI_PROJECT_ID: id } = env
  const remote = origin !== undefined && URL.canParse(origin) ? new URL(origin) : undefined
  const url =
    server ||
    (remote === undefined ? undefined : `https://${remote.protocol === "ssh:" ? remote.hostname : remote.host}`)
  const project = id || remote?.pathname.replace(/^\/+/, "").replace(/\.git$/, "")
  if (url !== undefined && project !== undefined && project !== "") return { url, project }
  throw fault({
    code: "REVIEW-WHERE",
    kind: "usage",
    message: "It is not known at which GitLab the merge request is",
    reason: "CI_SERVER_URL and CI_PROJECT_ID are not set, and git's remote origin names no server.",
    hint: "export CI_SERVER_URL=https://gitlab.example CI_PROJECT_ID=group/project",
  })
}

/** The reviews of a GitLab project (REST API v4). The token needs the scope read_api. */
export function gitlabHost(at: GitLabProject, token: string): CodeHost {
  return {
    async review({ number, commit }) {
      // Loaded here: the client is large, and most runs have no merge request.
      const { Gitlab } = await import("@gitbeaker/rest")
      const api = new Gitlab({ host: at.url, token, queryTimeout: 30_000 })
      try {
        const iid = number ?? (await openMergeRequest(await api.Commits.allMergeRequests(at.project, commit)))
        if (iid === undefined) return undefined
        const [request, approvals, discussions] = await Promise.all([
          api.MergeRequests.show(at.project, iid),
          api.MergeRequestApprovals.showConfiguration(at.project, { mergerequestIId: iid }),
          api.MergeRequestDiscussions.all(at.project, iid, { perPage: 100 }),
        ])
        return {
          number: iid,
          url: request.web_url,
          author: request.author.username,
          // Null, not 0, on the free tier: it has no approval rules.
          required: Number(approvals.approvals_required ?? 0),
          approvals: (approvals.approved_by ?? []).map(({ user }) => ({ by: user.username })),
          unresolved: discussions.flatMap((discussion) => unresolvedThread(discussion as unknown as Discussion)),
        }
      } catch (error) {
        throw reviewFault(error, at)
      }
    },
  }
}

interface Discussion {
  readonly notes?: readonly {
    readonly body: string
    readonly author: { readonly username: string }
    readonly resolvable: boolean
    /** Not in the client's types. */
    readonly resolved?: boolean
    readonly position?: { readonly new_path?: string; readonly new_line?: number | null } | null
  }[]
}

function unresolvedThread(discussion: Discussion): Review["unresolved"] {
  const open = discussion.notes?.find((note) => note.resolvable && note.resolved !== true)
  if (open === undefined) return []
  const { new_path: path, new_line: line } = open.position ?? {}
  const where = path === undefined ? undefined : `${path}${typeof line === "number" ? `:${line}` : ""}`
  return [{ by: open.author.username, text: open.body, ...(where === undefined ? {} : { where }) }]
}

function openMergeRequest(found: readonly { readonly iid: number; readonly state: string }[]): number | undefined {
  return (found.find((request) => request.state === "opened") ?? found[0])?.iid
}

function reviewFault(error: unknown, at: GitLabProject): unknown {
  if (isFault(error)) return error
  const cause = (
    error as { readonly cause?: { readonly response?: { readonly status?: number }; readonly code?: string } }
  ).cause
  const status = cause?.response?.status
  const said = error instanceof Error ? error.message : String(error)
  const reason = `${at.url}, project ${at.project}: ${status === undefined ? (cause?.code ?? said) : `${status} ${said}`}`
  if (status === 401 || status === 403 || status === 404) {
    return fault({
      code: "REVIEW-DENIED",
      kind: "usage",
      message: status === 404 ? "GitLab does not know this merge request, or hides it" : "GitLab refuses the token",
      reason,
      hint: "GITLAB_TOKEN has to be a valid token with the scope read_api and at least the role Reporter in the project.",
      cause: error,
    })
  }
  return fault({
    code: "REVIEW-HOST",
    kind: "errored",
    message: "GitLab could not be asked about the review",
    reason,
    hint: "Check that it is up and reachable from here, then `gantry resume` the run.",
    cause: error,
  })
}
