import { randomUUID } from "node:crypto"
import http from "node:http"
import { pipeline } from "node:stream/promises"
import { fault } from "../../core/errors.js"
import { bodyText, httpRequest, type HttpAnswer } from "../http.js"
import type { Reference } from "./reference.js"
import { registryUrls } from "./registry-api.js"

interface Manifest {
  readonly mediaType?: string
  readonly config?: { readonly digest: string }
  readonly layers?: readonly { readonly digest: string; readonly urls?: readonly string[] }[]
  readonly manifests?: readonly {
    readonly digest: string
    readonly platform?: { readonly architecture?: string; readonly os?: string }
  }[]
}

export interface CopyOptions {
  readonly ca?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/**
 * Copies an image by digest from an anonymous registry on loopback into the stack's own, byte for byte, so that its
 * digest stays. An index is copied with all its platforms. (OCI distribution spec 1.1, "Pulling" and "Pushing".)
 */
export async function copyImage(from: Reference, to: Reference, options: CopyOptions = {}): Promise<void> {
  const base = await reachable(from, options)
  const target = `http://${to.registry}/v2/${to.repository}`
  await copyManifest(`${base}/v2/${from.repository}`, target, from.digest ?? "", options)
}

async function reachable(from: Reference, options: CopyOptions): Promise<string> {
  let last: unknown
  for (const base of registryUrls(from.registry)) {
    try {
      const answer = await httpRequest(`${base}/v2/`, options)
      answer.body.resume()
      if (answer.status < 400) return base
      last = new Error(`${base}/v2/ answers HTTP ${answer.status}`)
    } catch (error) {
      last = error
    }
  }
  throw last
}

async function copyManifest(source: string, target: string, digest: string, options: CopyOptions): Promise<void> {
  const known = await httpRequest(`${target}/manifests/${digest}`, {
    method: "HEAD",
    headers: { accept: "*/*" },
    ...options,
  })
  known.body.resume()
  if (known.status === 200) return
  const answer = await expectOk(
    await httpRequest(`${source}/manifests/${digest}`, {
      headers: {
        accept:
          "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json",
      },
      ...options,
    }),
    `${source}/manifests/${digest}`,
  )
  const text = await bodyText(answer)
  const manifest = JSON.parse(text) as Manifest
  for (const child of manifest.manifests ?? []) await copyManifest(source, target, child.digest, options)
  const blobs = new Set([manifest.config?.digest, ...(manifest.layers ?? []).map((layer) => layer.digest)])
  for (const blob of blobs) if (blob !== undefined) await copyBlob(source, target, blob, options)
  const type = manifest.mediaType ?? answer.headers["content-type"] ?? "application/vnd.oci.image.manifest.v1+json"
  await send(`${target}/manifests/${digest}`, "PUT", { "content-type": type }, Buffer.from(text), options)
}

async function copyBlob(source: string, target: string, digest: string, options: CopyOptions): Promise<void> {
  const known = await httpRequest(`${target}/blobs/${digest}`, { method: "HEAD", ...options })
  known.body.resume()
  if (known.status === 200) return
  const blob = await expectOk(await httpRequest(`${source}/blobs/${digest}`, options), `${source}/blobs/${digest}`)
  const start = await send(`${target}/blobs/uploads/`, "POST", { "content-length": "0" }, Buffer.alloc(0), options)
  const location = new URL(start.headers.location ?? "", target)
  location.searchParams.set("digest", digest)
  const length = blob.headers["content-length"]
  await send(
    location.href,
    "PUT",
    { "content-type": "application/octet-stream", ...(length === undefined ? {} : { "content-length": length }) },
    blob.body,
    options,
  )
}

async function expectOk(answer: HttpAnswer, what: string): Promise<HttpAnswer> {
  if (answer.status >= 200 && answer.status < 300) return answer
  const words = await bodyText(answer).catch(() => "")
  throw fault({
    code: "SUPPLY-COPY",
    kind: "errored",
    message: `An image could not be copied into the stack's registry`,
    reason: `${what}: HTTP ${answer.status} ${words.slice(0, 300)}`,
    hint: "Run the same command again when the registry answers.",
  })
}

/** Sends a body to the stack's registry, which speaks plain http on loopback. */
async function send(
  address: string,
  method: "POST" | "PUT",
  headers: Readonly<Record<string, string>>,
  body: Buffer | NodeJS.ReadableStream,
  options: CopyOptions,
): Promise<HttpAnswer> {
  const answer = await new Promise<HttpAnswer>((resolve, reject) => {
    const request = http.request(
      new URL(address),
      {
        method,
        headers: { ...headers, "x-request-id": randomUUID() },
        ...(options.signal === undefined ? {} : { signal: options.signal }),
      },
      (incoming) => resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming }),
    )
    request.on("error", reject)
    if (Buffer.isBuffer(body)) request.end(body)
    else pipeline(body, request).catch(reject)
  })
  await expectOk(answer, `${method} ${address}`)
  answer.body.resume()
  return answer
}
