import { readFileSync } from "node:fs"
import http from "node:http"
import https from "node:https"
import { rootCertificates } from "node:tls"

export interface HttpAnswer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  /** Not yet read. Read it, or `resume()` it, so that the connection is given back. */
  readonly body: http.IncomingMessage
}

export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT"
  readonly headers?: Readonly<Record<string, string>>
  /** PEM bundle trusted besides Node's own. */
  readonly ca?: string | undefined
  /** Time until the headers must be there, per hop. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
  readonly maxRedirects?: number
}

const agents = new Map<string, https.Agent>()

/** One agent per bundle: the built-in fetch reads NODE_EXTRA_CA_CERTS only at start, and knows no `ca` of a configuration. */
function agentFor(ca: string | undefined): https.Agent {
  const key = ca ?? ""
  let agent = agents.get(key)
  if (agent === undefined) {
    agent = new https.Agent(ca === undefined ? {} : { ca: [...rootCertificates, readFileSync(ca, "utf8")] })
    agents.set(key, agent)
  }
  return agent
}

/**
 * One HTTP request, redirects followed (credentials are not sent on to another host). Answers any status; throws what
 * the network throws (ECONNREFUSED, ENOTFOUND, ETIMEDOUT, certificate errors).
 */
export async function httpRequest(address: string, request: HttpRequest = {}): Promise<HttpAnswer> {
  const url = new URL(address)
  const answer = await new Promise<HttpAnswer>((resolve, reject) => {
    const secure = url.protocol === "https:"
    const outgoing = (secure ? https : http).request(
      url,
      {
        method: request.method ?? "GET",
        headers: { "user-agent": "gantry", ...request.headers },
        ...(secure ? { agent: agentFor(request.ca) } : {}),
        ...(request.signal === undefined ? {} : { signal: request.signal }),
      },
      (body) => {
        clearTimeout(timer)
        resolve({ status: body.statusCode ?? 0, headers: body.headers, body })
      },
    )
    const timeoutMs = request.timeoutMs ?? 30_000
    const timer = setTimeout(() => {
      outgoing.destroy(
        Object.assign(new Error(`${url.host} did not answer within ${timeoutMs} ms`), { code: "ETIMEDOUT" }),
      )
    }, timeoutMs)
    outgoing.on("error", (error) => {
      clearTimeout(timer)
      reject(error)
    })
    outgoing.end()
  })
  const location = answer.headers.location
  const redirects = request.maxRedirects ?? 5
  if ([301, 302, 303, 307, 308].includes(answer.status) && location !== undefined && redirects > 0) {
    answer.body.resume()
    const next = new URL(location, url)
    const { authorization: _secret, ...rest } = request.headers ?? {}
    return httpRequest(next.href, {
      ...request,
      headers: next.host === url.host ? { ...request.headers } : rest,
      maxRedirects: redirects - 1,
    })
  }
  return answer
}

/** The body as text, at most `limit` bytes of it. */
export async function bodyText(answer: HttpAnswer, limit = 4_000_000): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > limit) throw new Error(`answer is longer than ${limit} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString("utf8")
}
