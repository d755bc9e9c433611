import http from "node:http"
import type { Client } from "@dagger.io/dagger"

/** Errors inside an answer that may be the first sign of an engine that ends. */
const goingDown = /"message":"[^"]*(context canceled|code = Unavailable|unexpected EOF|transport is closing)/

/**
 * `fetch` for the session's port, over Node's own http: the built-in one gives up after 300 s without headers, and a
 * build takes longer. Every request ends when `signal` fires, with the signal's reason.
 */
export function sessionFetch(signal: AbortSignal, onBroken: (error: Error) => Error): typeof fetch {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 256 })
  return async (input, init) => {
    signal.throwIfAborted()
    const headers = Object.fromEntries(new Headers(init?.headers as Record<string, string>).entries())
    const body = typeof init?.body === "string" ? init.body : ""
    return new Promise<Response>((resolve, reject) => {
      const url = new URL(typeof input === "string" ? input : input instanceof URL ? input.href : input.url)
      const request = http.request(url, { method: init?.method ?? "POST", headers, agent }, (answer) => {
        const chunks: Buffer[] = []
        answer.on("data", (chunk: Buffer) => chunks.push(chunk))
        answer.on("error", broken)
        answer.on("end", () => {
          const text = Buffer.concat(chunks).toString("utf8")
          const status = answer.statusCode ?? 500
          // So the CLI answers for an engine that is not there any more.
          if ((status >= 502 && status <= 504) || text.includes('"message":"engine is shutting down"')) {
            broken(new Error(status === 200 ? "it is shutting down" : text.trim() || `HTTP ${status}`))
            return
          }
          const type = answer.headers["content-type"]
          const finish = (): void => {
            if (signal.aborted) return
            settle()
            resolve(new Response(text, { status, headers: type === undefined ? {} : { "content-type": type } }))
          }
          // An engine that is going down cancels its work first: its end, which follows, is the true reason.
          if (goingDown.test(text)) setTimeout(finish, 1500)
          else finish()
        })
      })
      const onAbort = (): void => {
        request.destroy()
        reject(signal.reason as Error)
      }
      const settle = (): void => signal.removeEventListener("abort", onAbort)
      function broken(error: Error): void {
        settle()
        reject(signal.aborted ? (signal.reason as Error) : onBroken(error))
      }
      request.on("error", broken)
      signal.addEventListener("abort", onAbort, { once: true })
      request.end(body)
    })
  }
}

type Sdk = typeof import("@dagger.io/dagger")
interface SdkParts {
  readonly Client: Sdk["Client"]
  readonly Context: Sdk["Context"]
  readonly createGQLClient: (port: number, token: string) => InstanceType<Sdk["GraphQLClient"]>
}

/**
 * The parts of the SDK that a client is made of; best loaded while the CLI starts. The SDK's index brings OpenTelemetry, the
 * TypeScript compiler and the runtime of modules along, which is a second of processor time for each command. Where the
 * parts lie is known, because the version is pinned: SDK, CLI and engine have to be of one.
 */
export async function loadSdk(): Promise<SdkParts> {
  const index = import.meta.resolve("@dagger.io/dagger")
  const paths = ["api/client.gen.js", "common/context.js", "common/graphql/client.js"]
  const parts = await Promise.all(paths.map((path) => import(new URL(path, index).href) as Promise<object>))
  return Object.assign({}, ...parts) as SdkParts
}

/** A Dagger client on a session's port. */
export async function sessionClient(port: number, token: string, fetchWith: typeof fetch): Promise<Client> {
  const { Client: SdkClient, Context, createGQLClient } = await loadSdk()
  const graphql = createGQLClient(port, token)
  graphql.requestConfig.fetch = fetchWith
  // The SDK does not export its Connection; a context asks it for one thing only.
  const connection = { getGQLClient: () => graphql } as unknown as ConstructorParameters<typeof Context>[1]
  return new SdkClient(new Context([], connection))
}
