import { setTimeout as sleep } from "node:timers/promises"
import { fault, isFault } from "../core/errors.js"
import { codeOf, httpRequest, networkError, type BodyInit, type HttpRequest, type Response } from "./http.js"

/** Who is asked, for errors that a person reads. */
export interface Peer {
  /** "the registry 127.0.0.1:5000" */
  readonly name: string
  /** Code of the fault when it cannot be reached, e.g. "REGISTRY-UNAVAILABLE". */
  readonly code: string
  /** What to do when it cannot be reached. */
  readonly hint: string
}

export interface HttpPolicy {
  /** Attempts in all. Default 5. */
  readonly attempts?: number
  /** Pause before the second attempt, doubled for each further one. Milliseconds. Default 500. */
  readonly backoff?: number
  /** Longest pause, also when the peer asks for a longer one. Milliseconds. Default 30,000. */
  readonly maxPause?: number
  /** Until the headers of the answer are there. Milliseconds. Default 60,000. */
  readonly timeout?: number
  /** PEM bundle trusted besides Node's own, for a host with a private certificate authority. */
  readonly ca?: string | undefined
  /**
   * "always" (default): whatever went wrong. "unreceived": only what the peer certainly did not act on (429, a connection
   * that was never made), for requests that must not be repeated.
   */
  readonly repeat?: "always" | "unreceived"
  /** Answers that mean "later" in the peer's own way, besides the usual statuses. */
  isTemporary?(response: Response): boolean
  /** Told before each pause. */
  onRetry?(what: { readonly reason: string; readonly pause: number; readonly attempt: number }): void
}

/** As a single request; what belongs to the policy stands there. */
export interface RepeatableRequest extends Omit<HttpRequest, "body" | "ca" | "timeoutMs"> {
  /** A function makes the body anew for each attempt: a stream can be sent only once. */
  readonly body?: string | Uint8Array | URLSearchParams | (() => BodyInit)
}

/** Where to send it; a function finds that out anew for each attempt (an upload needs a new address each time). */
export type Target =
  string | URL | (() => Promise<{ readonly url: string | URL; readonly headers?: Readonly<Record<string, string>> }>)

/**
 * One request, tried again when it cannot be answered now: connection errors, 429 (waiting as `Retry-After` says) and
 * 500, 502, 503, 504. Any other status is an answer. The caller reads the body or calls `discard`.
 * Requests that must not be repeated after they may have been received take the policy `repeat: "unreceived"`.
 * @throws the peer's code, errored, when every attempt failed; the signal's reason when it was aborted
 */
export async function request(
  peer: Peer,
  target: Target,
  init: RepeatableRequest = {},
  policy: HttpPolicy = {},
): Promise<Response> {
  const attempts = policy.attempts ?? 5
  for (let attempt = 1; ; attempt++) {
    init.signal?.throwIfAborted()
    const { url, headers } = typeof target === "function" ? await target() : { url: target }
    const tried = await tryOnce(url, { ...init, headers: { ...init.headers, ...headers } }, policy)
    init.signal?.throwIfAborted()
    const { response } = tried
    if (response !== undefined && !isTemporary(response.status) && policy.isTemporary?.(response) !== true) {
      return response
    }
    const reason = response === undefined ? describe(tried.error) : await describeAnswer(response)
    const again = policy.repeat === "unreceived" ? wasNotReceived(response, tried.error, policy) : !isFinal(tried.error)
    if (attempt >= attempts || !again) {
      throw unavailable(peer, url, reason, attempt, tried.error)
    }
    const pause = pauseBefore(attempt, response?.headers.get("retry-after"), policy)
    policy.onRetry?.({ reason, pause, attempt })
    await sleep(pause, undefined, init.signal === undefined ? {} : { signal: init.signal }).catch(() => {
      throw init.signal?.reason
    })
  }
}

/** The answer's JSON. @throws the peer's code, errored, when it is none */
export async function readJson(peer: Peer, response: Response): Promise<unknown> {
  const text = await readText(peer, response)
  try {
    return JSON.parse(text) as unknown
  } catch (cause) {
    throw unavailable(peer, response.url, `It did not answer JSON: ${text.slice(0, 200)}`, 1, cause)
  }
}

/** The answer's text. @throws the peer's code, errored, when the connection breaks in the middle */
export async function readText(peer: Peer, response: Response): Promise<string> {
  return Buffer.from(await readBytes(peer, response)).toString("utf8")
}

/** The answer's bytes. @throws the peer's code, errored, when the connection breaks in the middle */
export async function readBytes(peer: Peer, response: Response): Promise<Uint8Array> {
  try {
    return new Uint8Array(await response.arrayBuffer())
  } catch (cause) {
    throw unavailable(peer, response.url, describe(networkError(cause, response.url)), 1, cause)
  }
}

async function tryOnce(
  url: string | URL,
  init: RepeatableRequest,
  policy: HttpPolicy,
): Promise<{ readonly response?: Response; readonly error?: unknown }> {
  const { body, ...rest } = init
  const sent = typeof body === "function" ? body() : body
  try {
    const settings = { ...rest, ...(sent === undefined ? {} : { body: sent }), ca: policy.ca }
    return { response: await httpRequest(url, { ...settings, timeoutMs: policy.timeout ?? 60_000 }) }
  } catch (error) {
    if (isFault(error)) throw error
    return { error }
  }
}

const isTemporary = (status: number) => status === 429 || [500, 502, 503, 504].includes(status)

function wasNotReceived(response: Response | undefined, error: unknown, policy: HttpPolicy): boolean {
  if (response !== undefined) return response.status === 429 || policy.isTemporary?.(response) === true
  return codeOf(error) === "ECONNREFUSED"
}

/** A certificate or a name does not become right by asking again. */
function isFinal(error: unknown): boolean {
  const code = codeOf(error)
  return (
    code === "ENOTFOUND" ||
    code.startsWith("ERR_TLS") ||
    code.startsWith("CERT_") ||
    /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_INVALID/.test(code)
  )
}

function describe(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const code = codeOf(error)
  const text =
    message === "" || message === code ? code : code === "" || message.includes(code) ? message : `${message} (${code})`
  return /SELF_SIGNED|UNABLE_TO_(GET|VERIFY)/.test(code) ? `${text}: its certificate authority is not trusted` : text
}

async function describeAnswer(response: Response): Promise<string> {
  const text = (await response.text().catch(() => "")).replace(/\s+/g, " ").trim().slice(0, 300)
  return `It answered ${response.status}${response.statusText === "" ? "" : ` ${response.statusText}`}${text === "" ? "" : `: ${text}`}`
}

/** What `Retry-After` asks for: seconds or a date (RFC 9110, 10.2.3). Milliseconds from `now`; undefined: nothing of use. */
export function retryAfterMs(header: string | null | undefined, now = Date.now()): number | undefined {
  const text = (header ?? "").trim()
  const asked = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now
  return Number.isNaN(asked) ? undefined : Math.max(asked, 0)
}

/** Pause before the next attempt: what the peer asks for, at least that of the policy, which doubles each time. */
export function pauseBefore(
  attempt: number,
  retryAfter: string | null | undefined,
  policy: Pick<HttpPolicy, "backoff" | "maxPause">,
  now = Date.now(),
): number {
  const own = (policy.backoff ?? 500) * 2 ** (attempt - 1)
  return Math.min(Math.max(retryAfterMs(retryAfter, now) ?? own, own), policy.maxPause ?? 30_000)
}

function unavailable(peer: Peer, url: string | URL, reason: string, attempts: number, cause: unknown) {
  const { origin, pathname } = new URL(url)
  return fault({
    code: peer.code,
    kind: "errored",
    message: `${peer.name} cannot be used${attempts > 1 ? `, ${attempts} attempts` : ""}`,
    reason: `${origin}${pathname}: ${reason}`,
    hint: peer.hint,
    cause,
  })
}
