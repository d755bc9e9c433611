import { createHash } from "node:crypto"
import { createReadStream } from "node:fs"
import { open } from "node:fs/promises"
import { extract, type Entry } from "tar-stream"
import { z } from "zod"
import { fault } from "../../core/errors.js"

/**
 * Reader of an OCI archive: a tar file with `oci-layout`, `index.json` and `blobs/<algorithm>/<hash>`.
 * https://github.com/opencontainers/image-spec/blob/v1.1.1/image-layout.md
 */
export const Descriptor = z.object({
  mediaType: z.string(),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/),
  /** Bytes. */
  size: z.number().int().nonnegative(),
  platform: z.object({ os: z.string(), architecture: z.string() }).optional(),
})
export type Descriptor = z.infer<typeof Descriptor>

const Index = z.object({ schemaVersion: z.literal(2), manifests: z.array(Descriptor) })
export const Manifest = z.object({
  schemaVersion: z.literal(2),
  mediaType: z.string().optional(),
  config: Descriptor,
  layers: z.array(Descriptor),
})
/** What of an image's configuration matters here. `Healthcheck` is Docker's field; OCI allows further ones. */
export const ImageConfig = z.object({
  architecture: z.string(),
  os: z.string(),
  created: z.string().optional(),
  config: z
    .object({
      User: z.string().optional(),
      Env: z.array(z.string()).nullish(),
      Entrypoint: z.array(z.string()).nullish(),
      Cmd: z.array(z.string()).nullish(),
      ExposedPorts: z.record(z.string(), z.unknown()).nullish(),
      Labels: z.record(z.string(), z.string()).nullish(),
      Healthcheck: z.object({ Test: z.array(z.string()).nullish() }).nullish(),
    })
    .optional(),
})
export type ImageConfig = z.infer<typeof ImageConfig>

export interface ImageArchive {
  readonly file: string
  /** Of the image's manifest: the one name that the image has everywhere. */
  readonly digest: string
  readonly manifest: Descriptor
  /** The manifest's exact bytes. */
  readonly manifestBytes: Uint8Array
  readonly config: ImageConfig
  /** Configuration and layers, in the order of the manifest, each once. */
  readonly blobs: readonly Descriptor[]
  /** Bytes of the compressed layers. */
  readonly size: number
  /** A blob as it lies in the archive. */
  stream(digest: string): ReadableStream<Uint8Array>
}

interface Place {
  readonly offset: number
  readonly size: number
}

/**
 * Reads the index of an OCI archive and checks every blob against its digest: what is pushed is what was built.
 * @throws ARCHIVE-BROKEN when it is not an archive of exactly one image or when bytes are not what their names say
 */
export async function readArchive(file: string): Promise<ImageArchive> {
  const places = await listArchive(file)
  const read = async (name: string) => {
    const place = places.get(name)
    if (place === undefined) throw broken(file, `it has no ${name}`)
    return readPlace(file, place)
  }
  const index = parse(file, "index.json", Index, await read("index.json"))
  const [manifest, ...others] = index.manifests
  if (manifest === undefined || others.length > 0) {
    throw broken(file, `it holds ${index.manifests.length} images, wanted is one (several platforms are not supported)`)
  }
  const manifestBytes = await read(blobPath(manifest.digest))
  const content = parse(file, manifest.digest, Manifest, manifestBytes)
  const config = parse(file, content.config.digest, ImageConfig, await read(blobPath(content.config.digest)))
  const blobs = [...new Map([content.config, ...content.layers].map((blob) => [blob.digest, blob])).values()]
  for (const blob of [manifest, ...blobs]) {
    const size = places.get(blobPath(blob.digest))?.size
    if (size !== blob.size) throw broken(file, `blob ${blob.digest} has ${size ?? "no"} bytes, wanted are ${blob.size}`)
  }
  return {
    file,
    digest: manifest.digest,
    manifest: { ...manifest, mediaType: content.mediaType ?? manifest.mediaType },
    manifestBytes,
    config,
    blobs,
    size: content.layers.reduce((sum, layer) => sum + layer.size, 0),
    stream(digest) {
      const place = places.get(blobPath(digest))
      if (place === undefined) throw broken(file, `it has no blob ${digest}`)
      return streamPlace(file, place)
    },
  }
}

const blobPath = (digest: string) => `blobs/${digest.replace(":", "/")}`

/** Where each file of the tar lies. Reads the whole of it once, and so checks the blobs at no further cost. */
async function listArchive(file: string): Promise<ReadonlyMap<string, Place>> {
  const places = new Map<string, Place>()
  const tar = extract()
  const source = createReadStream(file, { highWaterMark: 1 << 20 })
  source.on("error", (error) => tar.destroy(error)).pipe(tar)
  try {
    for await (const entry of tar as AsyncIterable<Entry>) {
      const { name, type, size = 0 } = entry.header
      // tar-stream knows where an entry's header begins, its types do not say so; the data is one block behind.
      const offset = (entry as unknown as { readonly offset: number }).offset + 512
      const hash = createHash("sha256")
      for await (const chunk of entry) hash.update(chunk as Buffer)
      if (type !== "file") continue
      const path = name.replace(/^\.\//, "")
      const wanted = /^blobs\/sha256\/([0-9a-f]{64})$/.exec(path)?.[1]
      const found = hash.digest("hex")
      if (wanted !== undefined && wanted !== found) throw broken(file, `the bytes of ${path} have the hash ${found}`)
      places.set(path, { offset, size })
    }
  } catch (cause) {
    if ((cause as { readonly code?: unknown }).code === "ARCHIVE-BROKEN") throw cause
    throw broken(file, (cause as Error).message, cause)
  } finally {
    source.destroy()
  }
  return places
}

async function readPlace(file: string, { offset, size }: Place): Promise<Uint8Array> {
  const handle = await open(file, "r")
  try {
    const bytes = new Uint8Array(size)
    for (let done = 0; done < size;) {
      const { bytesRead } = await handle.read(bytes, done, size - done, offset + done)
      if (bytesRead === 0) throw broken(file, "it ends too early")
      done += bytesRead
    }
    return bytes
  } finally {
    await handle.close()
  }
}

/** Pulled, not pushed: an upload that is slow or given up holds no more than one chunk. */
function streamPlace(file: string, { offset, size }: Place): ReadableStream<Uint8Array> {
  const iterator =
    size === 0
      ? undefined
      : createReadStream(file, { start: offset, end: offset + size - 1, highWaterMark: 1 << 18 })[
          Symbol.asyncIterator
        ]()
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const next = (await iterator?.next()) as IteratorResult<Buffer> | undefined
        if (next === undefined || next.done === true) controller.close()
        else controller.enqueue(new Uint8Array(next.value))
      },
      async cancel() {
        await iterator?.return?.()
      },
    },
    { highWaterMark: 1 },
  )
}

function parse<T>(file: string, what: string, schema: z.ZodType<T>, bytes: Uint8Array): T {
  try {
    return schema.parse(JSON.parse(Buffer.from(bytes).toString("utf8")))
  } catch (cause) {
    throw broken(
      file,
      `${what}: ${cause instanceof z.ZodError ? z.prettifyError(cause) : (cause as Error).message}`,
      cause,
    )
  }
}

function broken(file: string, reason: string, cause?: unknown) {
  return fault({
    code: "ARCHIVE-BROKEN",
    kind: "errored",
    message: "The image archive cannot be used",
    reason: `${file}: ${reason}`,
    hint: "Build the image again: start a new run.",
    cause,
  })
}
