import { Agent, request } from "node:http"

export interface Load {
  /** Ends the loop and answers what came of it. */
  stop(): Promise<LoadResult>
  /** Answers so far. */
  count(): number
}
export interface LoadResult {
  readonly total: number
  /** What was not answered with 200, in words. */
  readonly failures: readonly string[]
  /** First word of the answers → how often. */
  readonly versions: Readonly<Record<string, number>>
  /** First word of the answers, bad ones too → when the first and the last of them came (performance.now). */
  readonly seen: Readonly<Record<string, { readonly first: number; readonly last: number }>>
}

/**
 * A bounded loop of requests with a few connections, kept alive unless `keepAlive` is false: a port of a node hands whole
 * connections to pods, and nobody asks again elsewhere when one ends just then. At most `most` requests, and `perSecond` of
 * them: users who take the processors away from what is deployed measure themselves.
 */
export function load(
  url: string,
  options: {
    readonly most?: number
    readonly connections?: number
    readonly methods?: readonly string[]
    readonly keepAlive?: boolean
    readonly perSecond?: number
  } = {},
): Load {
  const { most = 20_000, connections = 6, methods = ["GET", "POST"], keepAlive = true, perSecond = 1000 } = options
  const agent = new Agent({ keepAlive, maxSockets: connections })
  const versions: Record<string, number> = {}
  const failures: string[] = []
  const seen: Record<string, { first: number; last: number }> = {}
  let total = 0
  let going = true
  const one = (method: string): Promise<void> =>
    new Promise((resolve) => {
      const call = request(url, { method, agent, timeout: 15_000 }, (response) => {
        let text = ""
        response.setEncoding("utf8")
        response.on("data", (chunk: string) => (text += chunk))
        response.on("end", () => {
          const version = text.split(" ")[0] ?? ""
          const now = performance.now()
          seen[version] = { first: seen[version]?.first ?? now, last: now }
          if (response.statusCode === 200) {
            versions[version] = (versions[version] ?? 0) + 1
          } else failures.push(`${method} ${response.statusCode} ${text.slice(0, 80)}`)
          resolve()
        })
        response.on("error", (error) => {
          failures.push(`${method} ${error.message}`)
          resolve()
        })
      })
      call.on("timeout", () => call.destroy(new Error("timeout")))
      call.on("error", (error) => {
        failures.push(`${method} ${(error as NodeJS.ErrnoException).code ?? error.message}`)
        resolve()
      })
      call.end(method === "POST" ? "x".repeat(500) : undefined)
    })
  const lanes = Array.from({ length: connections }, async (_, lane) => {
    while (going && total < most) {
      total += 1
      const next = performance.now() + (connections * 1000) / perSecond
      await one(methods[lane % methods.length] ?? "GET")
      if (performance.now() < next) await new Promise((resolve) => setTimeout(resolve, next - performance.now()))
    }
  })
  return {
    count: () => total,
    async stop() {
      going = false
      await Promise.all(lanes)
      agent.destroy()
      return { total, failures, versions, seen }
    },
  }
}
