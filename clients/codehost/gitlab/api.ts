import { shapeFault, tokenMissing } from "../faults.js"
import type { Place } from "../place.js"
import { jsonOf, send, type HostOptions } from "../send.js"

/** What GitLab is asked with. The job token is every job's own and may do little; the project's may do what its scopes say. */
export interface GitLabTokens {
  /** CI_JOB_TOKEN */
  readonly job?: string | undefined
  /** GITLAB_TOKEN: a project, group or personal access token. */
  readonly project?: string | undefined
}

/** The libraries are large, and most commands ask no code host: loaded when the first request is made. */
const load = async () => {
  const [{ Gitlab }, { createRequesterFn }] = await Promise.all([
    import("@gitbeaker/rest"),
    import("@gitbeaker/requester-utils"),
  ])
  return { Gitlab, createRequesterFn }
}

/** Two clients of one instance: one with the project's token, one with the job's where that suffices. */
export function gitlabApi(at: Place, tokens: GitLabTokens, options: HostOptions) {
  const connect = async (token: { readonly token: string } | { readonly jobToken: string }) => {
    const { Gitlab, createRequesterFn } = await load()
    const requesterFn = createRequesterFn(
      (_, prepared) => Promise.resolve(prepared),
      (endpoint, prepared) => handle(at, endpoint, prepared ?? {}, options),
    )
    // A limit of its own for the whole query would cut the pauses that GitLab asks for.
    return new Gitlab({ host: at.url, ...token, requesterFn, queryTimeout: null })
  }
  const connected = new Map<string, ReturnType<typeof connect>>()
  const once = (key: string, token: Parameters<typeof connect>[0]) => {
    const found = connected.get(key) ?? connect(token)
    connected.set(key, found)
    return found
  }
  return {
    /** For what the job token may not ask. @throws CODEHOST-TOKEN */
    full(what: string) {
      if (tokens.project === undefined) return Promise.reject(tokenMissing(at, what))
      return once("project", { token: tokens.project })
    },
    /** For what every job may ask: its own job, files of jobs, deployments. @throws CODEHOST-TOKEN */
    any(what: string) {
      if (tokens.job !== undefined) return once("job", { jobToken: tokens.job })
      return this.full(what)
    },
    /** The job that the job token was made for (GET /job): the library's own call for it never finds its token. */
    async ownJob(): Promise<unknown> {
      if (tokens.job === undefined) throw tokenMissing({ ...at }, "the job that this is")
      const url = new URL(`${at.url}/api/v4/job`)
      const { text } = await send(at, url, { method: "GET", headers: { "job-token": tokens.job } }, options)
      return jsonOf(at, "GET /job", text)
    },
    hasJobToken: tokens.job !== undefined,
    hasProjectToken: tokens.project !== undefined,
  }
}
export type GitLabApi = ReturnType<typeof gitlabApi>

/** Sends what the library prepared the way all requests are sent. */
async function handle(at: Place, endpoint: string, prepared: Record<string, unknown>, options: HostOptions) {
  const { method, headers, body, prefixUrl, searchParams } = prepared as {
    readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
    readonly headers: Readonly<Record<string, string>>
    readonly body?: string
    readonly prefixUrl: string
    readonly searchParams?: string
  }
  const url = new URL(endpoint, prefixUrl.endsWith("/") ? prefixUrl : `${prefixUrl}/`)
  url.search = searchParams ?? ""
  const file = /\/jobs\/(\d+\/artifacts|artifacts\/[^/]+\/raw)\//.test(url.pathname)
  const { response, text } = await send(
    at,
    url,
    { method, headers, ...(body === undefined ? {} : { body }), file },
    options,
  )
  const answer = { headers: Object.fromEntries(response.headers.entries()), status: response.status }
  if (file) return { ...answer, body: text }
  if (text === "") return { ...answer, body: null }
  const json = jsonOf(at, `${method} ${url.pathname}`, text)
  if (typeof json !== "object")
    throw shapeFault(at, `${method} ${url.pathname}`, `not an object: ${text.slice(0, 100)}`)
  return { ...answer, body: json as Record<string, unknown> | null }
}
