import { serve, type ServerType } from "@hono/node-server"
import { Hono, type Context } from "hono"
import type { AddressInfo } from "node:net"
import type { Description } from "./described.js"

/** What goes wrong, for so many requests that match. */
export interface Mishap {
  readonly path: RegExp
  readonly method?: string
  /** How many requests it strikes. Default 1. */
  times?: number
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** The request is done all the same: the answer is what goes wrong. */
  readonly after?: boolean
}

export interface Peer {
  readonly url: string
  /** `METHOD path?query` of every request, in order. */
  readonly requests: string[]
  /** Headers by which requests said who asks, in order. */
  readonly credentials: (string | undefined)[]
  readonly mishaps: Mishap[]
  /** What the API's description does not allow of what was asked and answered. */
  readonly violations: string[]
  close(): Promise<void>
}

/** Serves an app over a real socket, holding all that is said against the API's description. */
export async function servePeer(
  app: Hono,
  options: { readonly base: string; readonly described: Description; readonly except?: RegExp; readonly port?: number },
): Promise<Peer> {
  const { base, described, except } = options
  const state = {
    requests: [] as string[],
    credentials: [] as (string | undefined)[],
    mishaps: [] as Mishap[],
    violations: [] as string[],
  }
  const outer = new Hono()
  outer.use("*", async (c: Context, next) => {
    const url = new URL(c.req.url)
    const { method } = c.req
    state.requests.push(`${method} ${decodeURIComponent(url.pathname)}${url.search}`)
    const who = ["private-token", "job-token", "authorization"].find((name) => c.req.header(name) !== undefined)
    state.credentials.push(who === undefined ? undefined : `${who}: ${c.req.header(who)}`)
    const text = await c.req.raw.clone().text()
    const mishap = state.mishaps.find(
      (m) => (m.times ?? 1) > 0 && (m.method ?? method) === method && m.path.test(decodeURIComponent(url.pathname)),
    )
    if (mishap !== undefined) {
      mishap.times = (mishap.times ?? 1) - 1
      if (mishap.after === true) await next()
      c.res = new Response(mishap.body ?? JSON.stringify({ message: `${mishap.status} on purpose` }), {
        status: mishap.status,
        headers: { "content-type": "application/json", ...mishap.headers },
      })
      return
    }
    await next()
    if (except?.test(url.pathname) === true) return
    const isJson = c.res.headers.get("content-type")?.includes("json") === true
    const answer = isJson ? ((await c.res.clone().json()) as unknown) : undefined
    const body = text === "" ? undefined : (JSON.parse(text) as unknown)
    state.violations.push(...described.problems({ method, url, base, body, status: c.res.status, answer }))
  })
  outer.route("/", app)
  const server = await new Promise<ServerType>((resolve) => {
    const s: ServerType = serve({ fetch: outer.fetch, port: options.port ?? 0, hostname: "127.0.0.1" }, () =>
      resolve(s),
    )
  })
  const { port } = server.address() as AddressInfo
  const close = () =>
    new Promise<void>((resolve) => {
      if ("closeAllConnections" in server) server.closeAllConnections()
      server.close(() => resolve())
    })
  return Object.assign(state, { url: `http://127.0.0.1:${port}${base === "/api/v3" ? "" : base}`, close })
}

/** A page of a list, with the links to the others. */
export function paged<T>(
  c: Context,
  all: readonly T[],
  url: string,
): { readonly items: readonly T[]; readonly link: string | undefined } {
  const page = Number(c.req.query("page") ?? 1)
  const size = Number(c.req.query("per_page") ?? 20)
  const items = all.slice((page - 1) * size, page * size)
  if (all.length <= page * size) return { items, link: undefined }
  const next = new URL(url)
  next.searchParams.set("page", String(page + 1))
  return { items, link: `<${next.toString()}>; rel="next"` }
}
