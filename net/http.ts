import { readFileSync } from "node:fs"
import { rootCertificates } from "node:tls"
import type { Agent, BodyInit, Response } from "undici"
import { holding } from "../core/within.js"

export type { BodyInit, Response } from "undici"

export interface HttpRequest {
  readonly method?: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE"
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: BodyInit
  readonly signal?: AbortSignal | undefined
  readonly redirect?: "follow" | "manual"
  /** PEM bundle trusted besides Node's own, for a host with a private certificate authority. */
  readonly ca?: string | undefined
  /** Until the headers of the answer are there once the request is sent, for each hop. Milliseconds. Default 30,000. */
  readonly timeoutMs?: number
}

const connectTimeoutMs = 10_000
/** The least that a body may stay silent, however impatient the one who asks is for its headers. */
const silenceMs = 60_000

const agents = new Map<string, Agent>()

/** Loaded when something is asked: much of a command's start is loading. */
const undici = () => import("undici")

/** The built-in fetch reads NODE_EXTRA_CA_CERTS only at start, and knows no `ca` of a configuration. */
async function agentFor(ca: string | undefined, timeoutMs: number): Promise<Agent> {
  const { Agent } = await undici()
  const key = `${ca ?? ""}\0${timeoutMs}`
  let agent = agents.get(key)
  if (agent === undefined) {
    const trusted = ca === undefined ? {} : { ca: [...rootCertificates, readFileSync(ca, "utf8")] }
    agent = new Agent({
      connect: { timeout: Math.min(timeoutMs, connectTimeoutMs), ...trusted },
      headersTimeout: timeoutMs,
      bodyTimeout: Math.max(timeoutMs, silenceMs),
    })
    agents.set(key, agent)
  }
  return agent
}

/**
 * One HTTP request, sent once, redirects followed (credentials are not sent on to another origin). Any status is an
 * answer; the caller reads its body or calls `discard`.
 * @throws what the network throws, with its code (ECONNREFUSED, ENOTFOUND, ETIMEDOUT, those of certificates); the
 * signal's reason when it was aborted
 */
export async function httpRequest(address: string | URL, request: HttpRequest = {}): Promise<Response> {
  const { method = "GET", headers, body, signal, redirect = "follow", ca, timeoutMs = 30_000 } = request
  try {
    const { fetch } = await undici()
    const dispatcher = await agentFor(ca, timeoutMs)
    return await holding(() =>
      fetch(address, {
        method,
        headers: { "user-agent": "gantry", ...headers },
        redirect,
        dispatcher,
        ...(body === undefined ? {} : { body, duplex: "half" as const }),
        ...(signal === undefined ? {} : { signal }),
      }),
    )
  } catch (error) {
    signal?.throwIfAborted()
    throw networkError(error, address, timeoutMs)
  }
}

/** Gives the connection back when nobody wants the body. */
export async function discard(response: Response): Promise<void> {
  await response.body?.cancel().catch(() => undefined)
}

/** The body as text. @throws what the network throws; an error when it is longer than `limit` bytes */
export async function bodyText(response: Response, limit = 4_000_000): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response.body ?? []) {
      size += (chunk as Uint8Array).length
      if (size > limit) throw new Error(`answer is longer than ${limit} bytes`)
      chunks.push(chunk as Uint8Array)
    }
  } catch (error) {
    throw networkError(error, response.url)
  }
  return Buffer.concat(chunks).toString("utf8")
}

/** The code of what happened, wherever in the chain of causes it stands; "" when there is none. */
export function codeOf(error: unknown): string {
  for (let e = error; typeof e === "object" && e !== null; e = (e as { readonly cause?: unknown }).cause) {
    const code = (e as { readonly code?: unknown }).code
    if (typeof code === "string") return code
  }
  return ""
}

/**
 * What happened on the network: undici says "fetch failed" or "terminated", with the reason in the cause, and has codes
 * of its own for time-outs (here ETIMEDOUT).
 */
export function networkError(error: unknown, address: string | URL, timeoutMs = silenceMs): unknown {
  const inner = (error as { readonly cause?: unknown }).cause ?? error
  if (!(inner instanceof Error)) return error
  const code = codeOf(inner)
  if (/^UND_ERR_(CONNECT|HEADERS|BODY)_TIMEOUT$/.test(code)) {
    const ms = code === "UND_ERR_CONNECT_TIMEOUT" ? Math.min(timeoutMs, connectTimeoutMs) : timeoutMs
    const text = `${new URL(address).host} did not answer within ${ms} ms`
    return Object.assign(new Error(text, { cause: inner }), { code: "ETIMEDOUT" })
  }
  // A host with several addresses: what each of them said.
  if (inner instanceof AggregateError && inner.message === "") {
    const text = inner.errors.map((one) => (one instanceof Error ? one.message : String(one))).join("; ")
    return Object.assign(new Error(text, { cause: inner }), { code })
  }
  return inner
}
