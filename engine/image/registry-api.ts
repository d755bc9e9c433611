import { setTimeout as sleep } from "node:timers/promises"
import { bodyText, discard, httpRequest, type Response } from "../../net/http.js"
import { basicHeader, bearerHeader, parseChallenge, tokenUrl, type Credentials } from "../../net/registry/auth.js"
import { manifestTypes, registryUrls } from "../../net/registry/protocol.js"
import { retryAfterMs } from "../../net/retry.js"
import type { Reference } from "./reference.js"

/** What a registry says about a reference. `broken` is 429 or 5xx that stayed after the retries. */
export type Found =
  | { readonly kind: "found"; readonly digest: string }
  | { readonly kind: "missing" }
  | { readonly kind: "denied"; readonly reason: string }
  | { readonly kind: "broken"; readonly reason: string }
  | { readonly kind: "unreachable"; readonly reason: string }

export interface AskOptions {
  readonly ca?: string | undefined
  readonly credentials?: Credentials | undefined
  readonly signal?: AbortSignal | undefined
  /** Time for one request. */
  readonly timeoutMs?: number
  /** Attempts in all where the registry answers 429 or 5xx. */
  readonly attempts?: number
  /** First wait between attempts; doubled each time. `Retry-After` of the registry goes before it, up to 30 s. */
  readonly backoffMs?: number
  readonly onRetry?: (text: string) => void
}

/** Asks a registry for the digest of a reference (OCI distribution spec 1.1, "Pulling manifests"). */
export async function findDigest(reference: Reference, options: AskOptions = {}): Promise<Found> {
  const what = reference.digest ?? reference.tag ?? "latest"
  const attempts = options.attempts ?? 4
  for (let attempt = 1; ; attempt += 1) {
    options.signal?.throwIfAborted()
    const outcome = await askOnce(reference, what, options)
    if (outcome.kind !== "later") return outcome
    if (attempt >= attempts) return { kind: "broken", reason: `${outcome.reason}, ${attempts} times` }
    const backoff = (options.backoffMs ?? 500) * 2 ** (attempt - 1)
    const wait = Math.min(retryAfterMs(outcome.retryAfter) ?? backoff, 30_000)
    options.onRetry?.(`${reference.registry} answers ${outcome.reason}; again in ${(wait / 1000).toFixed(1)} s`)
    await sleep(wait, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

type Asked = Found | { readonly kind: "later"; readonly reason: string; readonly retryAfter: string | null }

async function askOnce(reference: Reference, what: string, options: AskOptions): Promise<Asked> {
  let unreachable: Asked = { kind: "unreachable", reason: "no address" }
  for (const base of registryUrls(reference.registry)) {
    try {
      return await askAt(`${base}/v2/${reference.repository}/manifests/${what}`, reference, options)
    } catch (error) {
      options.signal?.throwIfAborted()
      const e = error as NodeJS.ErrnoException
      unreachable = {
        kind: "unreachable",
        reason: `${base}: ${e.message}${e.code === undefined ? "" : ` (${e.code})`}`,
      }
      // Nobody listens: the other scheme will not be better.
      if (e.code === "ECONNREFUSED") break
    }
  }
  return unreachable
}

async function askAt(url: string, reference: Reference, options: AskOptions): Promise<Asked> {
  const ask = (authorization: string | undefined): Promise<Response> =>
    httpRequest(url, {
      method: "HEAD",
      headers: { accept: manifestTypes, ...(authorization === undefined ? {} : { authorization }) },
      ca: options.ca,
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? 10_000,
    })
  let answer = await ask(undefined)
  await discard(answer)
  if (answer.status === 401) {
    const token = await authorize(answer.headers.get("www-authenticate"), reference, options)
    if (typeof token !== "string") return token
    answer = await ask(token)
    await discard(answer)
  }
  return judge(answer, options, url)
}

async function judge(answer: Response, options: AskOptions, url: string): Promise<Asked> {
  const { status, headers } = answer
  if (status === 429 || status >= 500) return later(status, headers.get("retry-after"))
  if (status === 401 || status === 403) return { kind: "denied", reason: `HTTP ${status} for ${url}` }
  if (status === 404) return { kind: "missing" }
  // A plain-http request to a TLS port is answered 400 by most servers: let the other scheme try.
  if (status === 400 && url.startsWith("http:")) throw new Error("HTTP 400: plain http to a TLS port?")
  const digest = headers.get("docker-content-digest")
  if (status === 200 && digest !== null) return { kind: "found", digest }
  if (status === 200) return digestOfBody(url, options)
  return { kind: "unreachable", reason: `${url} answers HTTP ${status}, which no registry does` }
}

/** Some proxies leave the digest header out: then it is the SHA-256 of the manifest's bytes. */
async function digestOfBody(url: string, options: AskOptions): Promise<Asked> {
  const { createHash } = await import("node:crypto")
  const answer = await httpRequest(url, { headers: { accept: manifestTypes }, ca: options.ca, signal: options.signal })
  const text = await bodyText(answer)
  if (answer.status !== 200 || !text.trimStart().startsWith("{")) {
    return { kind: "unreachable", reason: `${url} is not answered by a registry` }
  }
  return { kind: "found", digest: `sha256:${createHash("sha256").update(text).digest("hex")}` }
}

function later(status: number, retryAfter: string | null): Asked {
  return { kind: "later", reason: `HTTP ${status}`, retryAfter }
}

/** Answers the Authorization header that the challenge asks for (Basic, or a token of the realm it names). */
async function authorize(header: string | null, reference: Reference, options: AskOptions): Promise<string | Asked> {
  const { registry, repository } = reference
  const challenge = parseChallenge(header)
  if (challenge === undefined) return { kind: "denied", reason: `${registry} answers 401 without a challenge` }
  const basic = options.credentials === undefined ? undefined : basicHeader(options.credentials)
  if (challenge.scheme === "basic") return basic ?? { kind: "denied", reason: `${registry} wants a login` }
  const url = tokenUrl(challenge, challenge.scope ?? `repository:${repository}:pull`)
  const answer = await httpRequest(url, {
    headers: basic === undefined ? {} : { authorization: basic },
    ca: options.ca,
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? 10_000,
  })
  const text = await bodyText(answer)
  if (answer.status === 429 || answer.status >= 500) return later(answer.status, answer.headers.get("retry-after"))
  const { host } = new URL(url)
  if (answer.status !== 200)
    return { kind: "denied", reason: `${host} answers HTTP ${answer.status} to the token request` }
  return (
    bearerHeader(JSON.parse(text)) ?? { kind: "denied", reason: `${host} answers the token request without a token` }
  )
}
