import type { Octokit } from "@octokit/rest"
import { tokenMissing } from "../faults.js"
import type { Place } from "../place.js"
import { send, type HostOptions, type HostRequest } from "../send.js"

/** Base address of the REST API: github.com has a host of its own for it, an Enterprise Server a path. */
export function apiUrl(url: string): string {
  return /^https?:\/\/(www\.)?github\.com$/.test(url) ? "https://api.github.com" : `${url}/api/v3`
}

export interface GitHubApi {
  readonly owner: string
  readonly repo: string
  /** @throws CODEHOST-TOKEN */
  client(what: string): Promise<Octokit>
}

/** The client, connected at the first request: it is large, and most commands ask no code host. */
export function githubApi(at: Place, token: string | undefined, options: HostOptions): GitHubApi {
  const [owner = "", ...rest] = at.project.split("/")
  const repo = rest.join("/")
  const connect = async (auth: string): Promise<Octokit> => {
    const { Octokit: Client } = await import("@octokit/rest")
    const quiet = () => undefined
    return new Client({
      auth,
      baseUrl: apiUrl(at.url),
      userAgent: "gantry",
      log: { debug: quiet, info: quiet, warn: quiet, error: quiet },
      request: { fetch: (url: string, init: FetchInit) => fetchThrough(at, url, init, options) },
    })
  }
  let connected: ReturnType<typeof connect> | undefined
  return {
    owner,
    repo,
    client(what) {
      if (token === undefined) return Promise.reject(tokenMissing(at, what))
      return (connected ??= connect(token))
    },
  }
}
interface FetchInit {
  readonly method: HostRequest["method"]
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
}

/** What the library takes for `fetch`: our own requests, whose faults it passes on as causes. */
async function fetchThrough(at: Place, address: string, init: FetchInit, options: HostOptions): Promise<Response> {
  const { method, headers, body } = init
  const url = new URL(address)
  const file = url.pathname.endsWith("/zip")
  const { response, bytes } = await send(
    at,
    url,
    { method, headers, ...(body === undefined ? {} : { body }), file },
    options,
  )
  const answer = new Response(response.status === 204 ? null : Buffer.from(bytes), {
    status: response.status,
    headers: [...response.headers.entries()],
  })
  // The library reads pages' addresses off it, and a response that was made by hand has none.
  return Object.defineProperty(answer, "url", { value: address })
}
