import { fault } from "../../core/errors.js"
import { bodyText, discard, httpRequest, type BodyInit, type Response } from "../../net/http.js"
import { manifestTypes, registryUrls, uploadUrl } from "../../net/registry/protocol.js"
import type { Reference } from "./reference.js"

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
      await discard(answer)
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
  await discard(known)
  if (known.status === 200) return
  const answer = await expectOk(
    await httpRequest(`${source}/manifests/${digest}`, {
      headers: { accept: manifestTypes },
      ...options,
    }),
    `${source}/manifests/${digest}`,
  )
  const text = await bodyText(answer)
  const manifest = JSON.parse(text) as Manifest
  for (const child of manifest.manifests ?? []) await copyManifest(source, target, child.digest, options)
  const blobs = new Set([manifest.config?.digest, ...(manifest.layers ?? []).map((layer) => layer.digest)])
  for (const blob of blobs) if (blob !== undefined) await copyBlob(source, target, blob, options)
  const type = manifest.mediaType ?? answer.headers.get("content-type") ?? "application/vnd.oci.image.manifest.v1+json"
  await send(`${target}/manifests/${digest}`, "PUT", { "content-type": type }, text, options)
}

async function copyBlob(source: string, target: string, digest: string, options: CopyOptions): Promise<void> {
  const known = await httpRequest(`${target}/blobs/${digest}`, { method: "HEAD", ...options })
  await discard(known)
  if (known.status === 200) return
  const blob = await expectOk(await httpRequest(`${source}/blobs/${digest}`, options), `${source}/blobs/${digest}`)
  const start = await send(`${target}/blobs/uploads/`, "POST", {}, undefined, options)
  const location = uploadUrl(start.headers.get("location") ?? "", target, digest)
  const length = blob.headers.get("content-length")
  await send(
    location.href,
    "PUT",
    { "content-type": "application/octet-stream", ...(length === null ? {} : { "content-length": length }) },
    blob.body ?? undefined,
    options,
  )
}

async function expectOk(answer: Response, what: string): Promise<Response> {
  if (answer.ok) return answer
  const words = await bodyText(answer).catch(() => "")
  throw fault({
    code: "SUPPLY-COPY",
    kind: "errored",
    message: `An image could not be copied into the stack's registry`,
    reason: `${what}: HTTP ${answer.status} ${words.slice(0, 300)}`,
    hint: "Run the same command again when the registry answers.",
  })
}

async function send(
  address: string,
  method: "POST" | "PUT",
  headers: Readonly<Record<string, string>>,
  body: BodyInit | undefined,
  options: CopyOptions,
): Promise<Response> {
  const sent = { method, headers, ...options, ...(body === undefined ? {} : { body }) }
  const answer = await expectOk(await httpRequest(address, sent), `${method} ${address}`)
  await discard(answer)
  return answer
}
