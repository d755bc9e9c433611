import { fault, isFault } from "../../core/errors.js"
import type { Descriptor, ImageArchive } from "./archive.js"
import type { RepositoryClient } from "./index.js"

export interface CopyEvents {
  /** A blob is there; `known`: it was there before. Sizes in bytes. */
  onBlob?(blob: Descriptor, state: { readonly known: boolean; readonly done: number; readonly total: number }): void
}

/** Harbor may forbid to pull what it has not scanned yet (412); it still says which digest the tag names. */
async function readBack(client: RepositoryClient, tag: string): Promise<string | undefined> {
  try {
    return (await client.manifest(tag))?.digest
  } catch (error) {
    if (isFault(error) && error.code === "REGISTRY-POLICY") return client.resolve(tag)
    throw error
  }
}

/** Layers that travel at the same time. */
const parallel = 3

/**
 * Sends the exact bytes of an archive under a tag, and reads the manifest back: what the registry has is what was built.
 * Blobs that are there are not sent again, so an interrupted copy carries on where it stopped.
 * @throws REGISTRY-UNAVAILABLE, REGISTRY-DENIED, REGISTRY-IMMUTABLE, REGISTRY-REFUSED, REGISTRY-DIGEST
 */
export async function copyArchive(
  archive: ImageArchive,
  client: RepositoryClient,
  tag: string,
  events: CopyEvents = {},
): Promise<void> {
  const total = archive.blobs.reduce((sum, blob) => sum + blob.size, 0)
  let done = 0
  const queue = [...archive.blobs]
  const worker = async () => {
    for (let blob = queue.shift(); blob !== undefined; blob = queue.shift()) {
      const { digest } = blob
      const known = await client.hasBlob(blob)
      if (!known) await client.uploadBlob(blob, () => archive.stream(digest))
      done += blob.size
      events.onBlob?.(blob, { known, done, total })
    }
  }
  const results = await Promise.allSettled(Array.from({ length: parallel }, worker))
  for (const result of results) if (result.status === "rejected") throw result.reason
  await client.putManifest(tag, archive.manifestBytes, archive.manifest.mediaType)
  const there = await readBack(client, tag)
  if (there === archive.digest) return
  throw fault({
    code: "REGISTRY-DIGEST",
    kind: "errored",
    message: `The registry ${client.host} does not have what was pushed to ${client.repository}:${tag}`,
    reason: `Pushed ${archive.digest}, read back ${there ?? "nothing"}.`,
    hint: "Somebody pushed the same tag at the same moment, or something changes contents on the way. Do not deploy from it.",
  })
}
