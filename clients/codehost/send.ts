import { faultIn, isFault } from "../../core/errors.js"
import { readBytes, request, type HttpPolicy, type Peer } from "../../net/retry.js"
import { discard, type Response } from "../../net/http.js"
import { answerFault, pageFault, shapeFault } from "./faults.js"
import { hostName, type Place } from "./place.js"

/** How requests to a host are sent. */
export interface HostOptions {
  readonly signal?: AbortSignal | undefined
  readonly policy?: Omit<HttpPolicy, "ca">
}

export interface HostRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string | undefined
  /** The body may be anything, not JSON alone: a file that a job left. */
  readonly file?: boolean
}

export interface HostAnswer {
  readonly response: Response
  readonly bytes: Uint8Array
  readonly text: string
}

/**
 * One request to a code host, with what the project trusts, tried again where that is harmless: reads always, writes only
 * when they were certainly not acted on. Both client libraries send through this.
 * @throws CODEHOST-UNAVAILABLE (errored), CODEHOST-DENIED, CODEHOST-NOT-FOUND, CODEHOST-CONFLICT, CODEHOST-REFUSED
 */
export async function send(at: Place, url: URL, init: HostRequest, options: HostOptions): Promise<HostAnswer> {
  const peer: Peer = {
    name: `${hostName(at)} at ${at.url}`,
    code: "CODEHOST-UNAVAILABLE",
    hint: "Check that it is up and reachable from here (address, certificate authority: codeHost in gantry.config.ts), then go on with the run.",
  }
  const { method, headers, body } = init
  const safe = method === "GET" || method === "HEAD" || method === "PUT"
  const policy: HttpPolicy = {
    ...options.policy,
    ca: at.ca,
    repeat: safe ? "always" : "unreceived",
    isTemporary: isRateLimit,
  }
  const what = `${method} ${url.pathname}`
  const content = body === undefined ? {} : { body }
  const ask = (to: URL, sent: HostRequest["headers"]) =>
    request(peer, to, { method, headers: sent, ...content, signal: options.signal, redirect: "manual" }, policy)

  let response = await ask(url, headers)
  let to = url
  for (let hop = 0; response.status >= 300 && response.status < 400 && response.status !== 304; hop++) {
    const location = response.headers.get("location")
    await discard(response)
    if (location === null || hop === 5 || !(method === "GET" || method === "HEAD")) {
      throw answerFault(at, what, response.status, `moved to ${location ?? "nowhere"}`)
    }
    to = new URL(location, to)
    response = await ask(to, to.origin === url.origin ? headers : withoutTokens(headers))
  }
  const bytes = await readBytes(peer, response)
  const text = Buffer.from(bytes).toString("utf8")
  const type = response.headers.get("content-type")?.split(";")[0]?.trim() ?? ""
  if (!response.ok) throw answerFault(at, what, response.status, saidIn(text, type))
  if (init.file !== true && type === "text/html") throw pageFault(at, what, type, text)
  return { response, bytes, text }
}

/** Files lie in object storages of others, who are not to see a token. */
function withoutTokens(headers: HostRequest["headers"]): HostRequest["headers"] {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !/^(authorization|private-token|job-token|cookie)$/i.test(name)),
  )
}

/** GitHub answers 403 when too much was asked (docs.github.com/rest: rate limits). */
function isRateLimit(response: Response): boolean {
  return (
    response.status === 403 &&
    (response.headers.get("retry-after") !== null || response.headers.get("x-ratelimit-remaining") === "0")
  )
}

/** An error's own words: `message` or `error` of the JSON, the title of a page. */
function saidIn(text: string, type: string): string {
  if (type === "text/html") return /<title[^>]*>([^<]*)/i.exec(text)?.[1]?.trim() ?? "a web page"
  try {
    const body = JSON.parse(text) as {
      readonly message?: unknown
      readonly error?: unknown
      readonly error_description?: unknown
    }
    const said = body.error_description ?? body.message ?? body.error ?? text
    return (typeof said === "string" ? said : JSON.stringify(said)).slice(0, 300)
  } catch {
    return text.replace(/\s+/g, " ").trim().slice(0, 300)
  }
}

/** The JSON of an answer. @throws CODEHOST-ANSWER */
export function jsonOf(at: Place, what: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    throw shapeFault(at, what, `not JSON: ${text.slice(0, 100)}`)
  }
}

/** Lets only faults out of the libraries: what they do not know how to read is an answer of another shape. */
export async function asked<T>(at: Place, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const known = faultIn(error)
    if (known !== undefined) throw known
    if ((error as { readonly name?: unknown }).name === "AbortError") throw error
    throw shapeFault(at, what, error instanceof Error ? error.message : String(error))
  }
}

/** Undefined instead of CODEHOST-NOT-FOUND. */
export async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isFault(error) && error.code === "CODEHOST-NOT-FOUND") return undefined
    throw error
  }
}
