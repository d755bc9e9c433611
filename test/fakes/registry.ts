import { createHash, randomUUID } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo } from "node:net"
import { onTestFinished } from "vitest"

/** What goes wrong, for so many requests that match. */
export interface Mishap {
  readonly method: string
  readonly path: RegExp
  /** How many requests it strikes. Default 1. */
  times?: number
  /** An answer instead of the right one … */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  /** … or the connection is cut when so many bytes of the request's body were read. */
  readonly cutAfter?: number
}

export interface FakeRegistry {
  readonly url: string
  readonly host: string
  /** `METHOD path` of every request, in order. */
  readonly requests: string[]
  readonly blobs: Map<string, Buffer>
  /** By `repository:tag` and `repository@digest`. */
  readonly manifests: Map<string, { bytes: Buffer; mediaType: string }>
  mishaps: Mishap[]
  /** Tokens that were given so far become invalid. */
  expireTokens(): void
}

/**
 * A registry that speaks the OCI distribution API over a real socket, asks for credentials in either way, and fails on
 * demand. https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export async function fakeRegistry(
  options: {
    readonly auth?: "basic" | "bearer"
    readonly username?: string
    readonly password?: string
    /** A manifest is kept with other bytes than were sent. */
    readonly corrupts?: boolean
  } = {},
): Promise<FakeRegistry> {
  const { username = "robot$shop+gantry", password = "s3cret-robot" } = options
  const basic = `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`
  const uploads = new Set<string>()
  let tokens = new Set<string>()
  const state = {
    requests: [] as string[],
    blobs: new Map<string, Buffer>(),
    manifests: new Map<string, { bytes: Buffer; mediaType: string }>(),
    mishaps: [] as Mishap[],
  }

  const handle = async (request: IncomingMessage, response: ServerResponse, base: string) => {
    const url = new URL(request.url ?? "/", base)
    const method = request.method ?? "GET"
    state.requests.push(`${method} ${url.pathname}`)
    const answer = (status: number, headers: Record<string, string> = {}, body: string | Buffer = "") => {
      response.writeHead(status, { "content-length": String(Buffer.byteLength(body)), ...headers })
      response.end(method === "HEAD" ? undefined : body)
    }
    const error = (status: number, code: string, message: string, headers = {}) =>
      answer(
        status,
        { "content-type": "application/json", ...headers },
        JSON.stringify({ errors: [{ code, message }] }),
      )

    const mishap = state.mishaps.find((m) => (m.times ?? 1) > 0 && m.method === method && m.path.test(url.pathname))
    if (mishap !== undefined) mishap.times = (mishap.times ?? 1) - 1
    if (mishap?.cutAfter !== undefined) {
      const { socket } = request
      let read = 0
      for await (const chunk of request) if ((read += (chunk as Buffer).length) >= mishap.cutAfter) break
      socket.destroy()
      return
    }
    const body = await readBody(request)
    if (mishap?.status !== undefined) return answer(mishap.status, { ...mishap.headers }, mishap.body ?? "")

    if (url.pathname === "/service/token") {
      if (request.headers.authorization !== basic) return error(401, "UNAUTHORIZED", "unauthorized")
      const token = randomUUID()
      tokens.add(token)
      return answer(200, { "content-type": "application/json" }, JSON.stringify({ token }))
    }
    const scope = /^\/v2\/(.+?)\/(?:manifests|blobs)\//.exec(url.pathname)?.[1] ?? ""
    if (options.auth === "basic" && request.headers.authorization !== basic) {
      return error(401, "UNAUTHORIZED", "authentication required", { "www-authenticate": 'Basic realm="fake"' })
    }
    if (options.auth === "bearer" && !tokens.has(request.headers.authorization?.replace(/^Bearer /, "") ?? "")) {
      const challenge = `Bearer realm="${base}/service/token",service="harbor-registry",scope="repository:${scope}:pull"`
      return error(401, "UNAUTHORIZED", "unauthorized", { "www-authenticate": challenge })
    }

    const manifest = /^\/v2\/(.+)\/manifests\/([^/]+)$/.exec(url.pathname)
    if (manifest !== null) {
      const [, repository = "", reference = ""] = manifest
      const key = (name: string) => (name.startsWith("sha256:") ? `${repository}@${name}` : `${repository}:${name}`)
      if (method === "PUT") {
        const bytes = options.corrupts === true ? Buffer.concat([body, Buffer.from("\n")]) : body
        const digest = digestOf(body)
        const entry = { bytes, mediaType: request.headers["content-type"] ?? "" }
        state.manifests.set(key(reference), entry)
        state.manifests.set(`${repository}@${digest}`, entry)
        return answer(201, { location: `/v2/${repository}/manifests/${digest}`, "docker-content-digest": digest })
      }
      const found = state.manifests.get(key(reference))
      if (found === undefined) return error(404, "MANIFEST_UNKNOWN", "manifest unknown")
      return answer(
        200,
        { "content-type": found.mediaType, "docker-content-digest": digestOf(found.bytes) },
        found.bytes,
      )
    }
    const start = /^\/v2\/(.+)\/blobs\/uploads\/$/.exec(url.pathname)
    if (start !== null && method === "POST") {
      const id = randomUUID()
      uploads.add(id)
      return answer(202, { location: `/v2/${start[1] ?? ""}/blobs/uploads/${id}?_state=opaque` })
    }
    const upload = /^\/v2\/(.+)\/blobs\/uploads\/([^/]+)$/.exec(url.pathname)
    if (upload !== null && method === "PUT") {
      if (!uploads.delete(upload[2] ?? "")) return error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")
      const digest = url.searchParams.get("digest") ?? ""
      if (digest !== digestOf(body)) return error(400, "DIGEST_INVALID", "provided digest did not match")
      state.blobs.set(digest, body)
      return answer(201, { location: `/v2/${upload[1] ?? ""}/blobs/${digest}`, "docker-content-digest": digest })
    }
    const blob = /^\/v2\/.+\/blobs\/(sha256:[0-9a-f]+)$/.exec(url.pathname)
    if (blob !== null) {
      const found = state.blobs.get(blob[1] ?? "")
      return found === undefined ? error(404, "BLOB_UNKNOWN", "blob unknown") : answer(200, {}, found)
    }
    return url.pathname === "/v2/" ? answer(200, {}, "{}") : error(404, "NOT_FOUND", "not found")
  }

  const server = createServer((request, response) => {
    const { port } = server.address() as AddressInfo
    const { socket } = request
    handle(request, response, `http://127.0.0.1:${port}`).catch(() => socket.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(state, {
    url: `http://${host}`,
    host,
    expireTokens: () => {
      tokens = new Set()
    },
  })
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

const digestOf = (bytes: Buffer) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`
