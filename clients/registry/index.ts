import { fault } from "../../core/errors.js"
import { sha256 } from "../../core/json.js"
import { discard } from "../../net/http.js"
import { manifestTypes, uploadUrl } from "../../net/registry/protocol.js"
import { readBytes } from "../../net/retry.js"
import type { Descriptor } from "./archive.js"
import { registrySession, type RegistryOptions, type RegistrySession } from "./session.js"

export { readArchive, type Descriptor, type ImageArchive, type ImageConfig } from "./archive.js"
export type { RegistryOptions } from "./session.js"
export type { Credentials } from "../../net/registry/auth.js"

/**
 * Client of the OCI distribution API for one repository.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
export interface RepositoryClient {
  /** `host[:port]` as it stands in an image reference. */
  readonly host: string
  readonly repository: string
  /** Digest behind a tag or digest; undefined when there is none. */
  resolve(reference: string): Promise<string | undefined>
  /** The manifest's exact bytes, hashed here; undefined when there is none. @throws REGISTRY-DIGEST */
  manifest(reference: string): Promise<{ readonly digest: string; readonly bytes: Uint8Array } | undefined>
  hasBlob(blob: Descriptor): Promise<boolean>
  /** Its bytes, hashed here. @throws REGISTRY-DIGEST */
  blob(blob: Pick<Descriptor, "digest">): Promise<Uint8Array>
  uploadBlob(blob: Descriptor, open: () => ReadableStream<Uint8Array>): Promise<void>
  /** @throws REGISTRY-DIGEST when the registry names another digest than the bytes have */
  putManifest(reference: string, bytes: Uint8Array, mediaType: string): Promise<void>
}

/** @param repository Path without the host, e.g. "shop/catalog". */
export function repositoryClient(options: RegistryOptions, repository: string): RepositoryClient {
  const session = registrySession(options, repository)
  const at = (path: string) => `/v2/${repository}/${path}`
  return {
    host: session.host,
    repository,
    async resolve(reference) {
      const response = await session.send(at(`manifests/${reference}`), {
        method: "HEAD",
        headers: { accept: manifestTypes },
      })
      if (response.status === 404) return discard(response).then(() => undefined)
      if (!response.ok) throw await session.refused(response, `look up ${reference}`)
      await discard(response)
      const digest = response.headers.get("docker-content-digest")
      if (digest !== null) return digest
      return (await getManifest(session, repository, reference))?.digest
    },
    manifest: (reference) => getManifest(session, repository, reference),
    async hasBlob(blob) {
      const response = await session.send(at(`blobs/${blob.digest}`), { method: "HEAD" })
      await discard(response)
      if (response.status === 404) return false
      if (!response.ok) throw await session.refused(response, "look up a layer")
      const length = response.headers.get("content-length")
      return length === null || Number(length) === blob.size
    },
    async blob({ digest }) {
      const response = await session.send(at(`blobs/${digest}`), {})
      if (!response.ok) throw await session.refused(response, `give ${digest.slice(0, 19)}`)
      const bytes = await readBytes(session.peer, response)
      const found = `sha256:${sha256(bytes)}`
      if (found !== digest) throw wrongDigest(session, repository, digest, digest, found)
      return bytes
    },
    uploadBlob: (blob, open) => uploadBlob(session, repository, blob, open),
    async putManifest(reference, bytes, mediaType) {
      const response = await session.send(at(`manifests/${reference}`), {
        method: "PUT",
        headers: { "content-type": mediaType },
        body: bytes,
      })
      if (response.status !== 201) throw await session.refused(response, `take the manifest ${reference}`)
      await discard(response)
      const said = response.headers.get("docker-content-digest")
      const wanted = `sha256:${sha256(bytes)}`
      if (said !== null && said !== wanted) throw wrongDigest(session, repository, reference, wanted, said)
    },
  }
}

async function getManifest(session: RegistrySession, repository: string, reference: string) {
  const response = await session.send(`/v2/${repository}/manifests/${reference}`, {
    headers: { accept: manifestTypes },
  })
  if (response.status === 404) return discard(response).then(() => undefined)
  if (!response.ok) throw await session.refused(response, `give the manifest ${reference}`)
  const bytes = await readBytes(session.peer, response)
  const digest = `sha256:${sha256(bytes)}`
  if (reference.startsWith("sha256:") && reference !== digest) {
    throw wrongDigest(session, repository, reference, reference, digest)
  }
  return { digest, bytes }
}

/** One PUT behind a POST. A PUT that broke begins with a new POST: what the old upload holds is not known. */
async function uploadBlob(
  session: RegistrySession,
  repository: string,
  blob: Descriptor,
  open: () => ReadableStream<Uint8Array>,
): Promise<void> {
  const newAddress = async () => {
    const response = await session.send(`/v2/${repository}/blobs/uploads/`, { method: "POST" })
    const location = response.headers.get("location")
    if (response.status !== 202 || location === null) throw await session.refused(response, "start an upload")
    await discard(response)
    return uploadUrl(location, response.url, blob.digest)
  }
  const response = await session.send(newAddress, {
    method: "PUT",
    headers: { "content-type": "application/octet-stream", "content-length": String(blob.size) },
    body: open,
  })
  if (response.status !== 201) throw await session.refused(response, `take the layer ${blob.digest.slice(0, 19)}`)
  await discard(response)
}

function wrongDigest(s: RegistrySession, repository: string, reference: string, wanted: string, found: string) {
  return fault({
    code: "REGISTRY-DIGEST",
    kind: "errored",
    message: `The registry ${s.host} has other bytes than were pushed (${repository}:${reference})`,
    reason: `Wanted ${wanted}, it has ${found}.`,
    hint: "Something between here and the registry changes contents, or its storage is damaged. Do not deploy from it.",
  })
}
