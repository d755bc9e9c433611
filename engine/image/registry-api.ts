import { setTimeout as sleep } from "node:timers/promises"
import { bodyText, httpRequest, type HttpAnswer } from "../http.js"
import type { Credentials } from "./credentials.js"
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

/** Media types of manifests and indexes, OCI's and Docker's. */
const accept = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
].join(", ")

/** Base addresses to try. As Docker does, a registry on loopback may speak plain http. */
export function registryUrls(registry: string): readonly string[] {
  if (registry === "docker.io") return ["https://registry-1.docker.io"]
  const host = registry.replace(/:\d+$/, "")
  const loopback = host === "localhost" || host === "[::1]" || /^127\.\d+\.\d+\.\d+$/.test(host)
  return loopback ? [`http://${registry}`, `https://${registry}`] : [`https://${registry}`]
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
    const wait = Math.min(outcome.retryAfterMs ?? (options.backoffMs ?? 500) * 2 ** (attempt - 1), 30_000)
    options.onRetry?.(`${reference.registry} answers ${outcome.reason}; again in ${(wait / 1000).toFixed(1)} s`)
    await sleep(wait, undefined, options.signal === undefined ? {} : { signal: options.signal })
  }
}

type Asked = Found | { readonly kind: "later"; readonly reason: string; readonly retryAfterMs: number | undefined }

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
  const ask = (authorization: string | undefined): Promise<HttpAnswer> =>
    httpRequest(url, {
      method: "HEAD",
      headers: { accept, ...(authorization === undefined ? {} : { authorization }) },
      ca: options.ca,
      signal: options.signal,
      timeoutMs: options.timeoutMs ?? 10_000,
    })
  let answer = await ask(undefined)
  answer.body.resume()
  if (answer.status === 401) {
    const token = await authorize(answer.headers["www-authenticate"] ?? "", reference, options)
    if (typeof token !== "string") return token
    answer = await ask(token)
    answer.body.resume()
  }
  return judge(answer, options, url)
}

async function judge(answer: HttpAnswer, options: AskOptions, url: string): Promise<Asked> {
  const { status, headers } = answer
  if (status === 429 || status >= 500) return later(status, headers["retry-after"])
  if (status === 401 || status === 403) return { kind: "denied", reason: `HTTP ${status} for ${url}` }
  if (status === 404) return { kind: "missing" }
  // A plain-http request to a TLS port is answered 400 by most servers: let the other scheme try.
  if (status === 400 && url.startsWith("http:")) throw new Error("HTTP 400: plain http to a TLS port?")
  const digest = headers["docker-content-digest"]
  if (status === 200 && typeof digest === "string") return { kind: "found", digest }
  if (status === 200) return digestOfBody(url, options)
  return { kind: "unreachable", reason: `${url} answers HTTP ${status}, which no registry does` }
}

/** Some proxies leave the digest header out: then it is the SHA-256 of the manifest's bytes. */
async function digestOfBody(url: string, options: AskOptions): Promise<Asked> {
  const { createHash } = await import("node:crypto")
  const answer = await httpRequest(url, { headers: { accept }, ca: options.ca, signal: options.signal })
  const text = await bodyText(answer)
  if (answer.status !== 200 || !text.trimStart().startsWith("{")) {
    return { kind: "unreachable", reason: `${url} is not answered by a registry` }
  }
  return { kind: "found", digest: `sha256:${createHash("sha256").update(text).digest("hex")}` }
}

function later(status: number, retryAfter: string | undefined): Asked {
  const seconds = Number(retryAfter)
  const date = retryAfter === undefined ? Number.NaN : Date.parse(retryAfter)
  const wait = Number.isFinite(seconds)
    ? seconds * 1000
    : Number.isNaN(date)
      ? undefined
      : Math.max(0, date - Date.now())
  return { kind: "later", reason: `HTTP ${status}`, retryAfterMs: retryAfter === undefined ? undefined : wait }
}

/** Answers the Authorization header that the challenge asks for (Basic, or a token of the realm it names). */
async function authorize(challenge: string, reference: Reference, options: AskOptions): Promise<string | Asked> {
  const basic =
    options.credentials === undefined
      ? undefined
      : `Basic ${Buffer.from(`${options.credentials.username}:${options.credentials.password}`).toString("base64")}`
  if (/^basic/i.test(challenge)) return basic ?? { kind: "denied", reason: `${reference.registry} wants a login` }
  const field = (name: string): string | undefined => new RegExp(`${name}="([^"]*)"`).exec(challenge)?.[1]
  const realm = field("realm")
  if (realm === undefined) return { kind: "denied", reason: `${reference.registry} answers 401 without a challenge` }
  const url = new URL(realm)
  const service = field("service")
  if (service !== undefined) url.searchParams.set("service", service)
  url.searchParams.set("scope", field("scope") ?? `repository:${reference.repository}:pull`)
  const answer = await httpRequest(url.href, {
    headers: basic === undefined ? {} : { authorization: basic },
    ca: options.ca,
    signal: options.signal,
    timeoutMs: options.timeoutMs ?? 10_000,
  })
  const text = await bodyText(answer)
  if (answer.status === 429 || answer.status >= 500) return later(answer.status, answer.headers["retry-after"])
  if (answer.status !== 200)
    return { kind: "denied", reason: `${url.host} answers HTTP ${answer.status} to the token request` }
  const token = JSON.parse(text) as { token?: string; access_token?: string }
  return `Bearer ${token.token ?? token.access_token ?? ""}`
}
