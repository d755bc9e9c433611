import { Agent, request as httpsRequest, type RequestOptions } from "node:https"
import { request as httpRequest } from "node:http"
import type { KubeConfig } from "@kubernetes/client-node"
import { within } from "../../core/within.js"

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE"
  /** Below the server's address, with a leading slash; query included. */
  readonly path: string
  readonly body?: string | undefined
  readonly contentType?: string | undefined
  readonly signal: AbortSignal
  /** Until the whole answer is there. Milliseconds. */
  readonly timeoutMs: number
  /** For a stream that is read as it comes, e.g. a log that is followed; then there is no time-out. */
  readonly onChunk?: ((chunk: Buffer) => void) | undefined
}

export interface KubeAnswer {
  readonly status: number
  readonly text: string
}

export type Send = (request: KubeRequest) => Promise<KubeAnswer>

/**
 * Sends requests with what a kubeconfig says of identity, certificates and proxies; connections are kept. Tokens of files and
 * of login commands are read anew whenever they have changed. @throws what the network throws
 */
export function sender(config: KubeConfig): Send {
  const base = new URL(config.getCurrentCluster()?.server ?? "")
  let kept: { readonly key: string; readonly agent: Agent } | undefined
  const agentFor = (options: RequestOptions): RequestOptions["agent"] => {
    // The library makes an agent for each request; only where there is no proxy do we know a better one.
    if (config.getCurrentCluster()?.proxyUrl !== undefined || base.protocol !== "https:") return options.agent
    const { ca, cert, key, rejectUnauthorized, servername } = options
    const id = [ca, cert, key, rejectUnauthorized, servername].map(String).join("\0")
    if (kept?.key !== id) {
      kept?.agent.destroy()
      const tls = { ca, cert, key, servername, ...(rejectUnauthorized === false ? { rejectUnauthorized } : {}) }
      kept = { key: id, agent: new Agent({ keepAlive: true, maxSockets: 8, ...tls }) }
    }
    return kept.agent
  }
  return async (request) => {
    const options: RequestOptions = { headers: {} }
    await config.applyToHTTPSOptions(options)
    const prefix = base.pathname.replace(/\/$/, "")
    const url = new URL(prefix + request.path, base)
    const agent = agentFor(options)
    const ask = (signal: AbortSignal) => exchange(url, { ...options, agent, signal }, request)
    return request.onChunk === undefined ? within(request.timeoutMs, request.signal, ask) : ask(request.signal)
  }
}

function exchange(url: URL, options: RequestOptions, request: KubeRequest): Promise<KubeAnswer> {
  const { method, body, contentType = "application/json", onChunk } = request
  return new Promise((resolve, reject) => {
    const headers = {
      accept: "application/json, */*",
      "user-agent": "gantry",
      ...options.headers,
      ...(body === undefined ? {} : { "content-type": contentType, "content-length": String(Buffer.byteLength(body)) }),
    }
    const start = url.protocol === "https:" ? httpsRequest : httpRequest
    const sent = start(url, { ...options, method, headers }, (response) => {
      const chunks: Buffer[] = []
      const ok = (response.statusCode ?? 0) < 300
      response.on("data", (chunk: Buffer) => {
        if (onChunk !== undefined && ok) onChunk(chunk)
        else chunks.push(chunk)
      })
      response.on("error", reject)
      response.on("end", () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") })
      })
    })
    sent.on("error", reject)
    sent.end(body)
  })
}
