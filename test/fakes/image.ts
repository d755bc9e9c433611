import { createHash, randomBytes } from "node:crypto"
import { writeFile } from "node:fs/promises"
import { gzipSync } from "node:zlib"
import { pack } from "tar-stream"

export interface ImageOptions {
  readonly config?: Readonly<Record<string, unknown>>
  /** Uncompressed bytes of each layer; random, so that they do not shrink. */
  readonly layers?: readonly number[]
  /** Changes a file of the archive before it is written. */
  readonly tamper?: (name: string, bytes: Buffer) => Buffer | undefined
}

/** Writes a small OCI archive of the form that Dagger exports; answers the digest of its manifest. */
export async function writeImage(file: string, options: ImageOptions = {}): Promise<string> {
  const blobs = new Map<string, Buffer>()
  const add = (bytes: Buffer, mediaType: string) => {
    const hash = createHash("sha256").update(bytes).digest("hex")
    blobs.set(`blobs/sha256/${hash}`, bytes)
    return { mediaType, digest: `sha256:${hash}`, size: bytes.length }
  }
  const layers = (options.layers ?? [5000]).map((size) =>
    add(gzipSync(randomBytes(size)), "application/vnd.oci.image.layer.v1.tar+gzip"),
  )
  const config = add(
    Buffer.from(JSON.stringify({ architecture: "amd64", os: "linux", config: options.config ?? { User: "app" } })),
    "application/vnd.oci.image.config.v1+json",
  )
  const manifestType = "application/vnd.oci.image.manifest.v1+json"
  const manifest = add(
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: manifestType, config, layers })),
    manifestType,
  )
  const index = { schemaVersion: 2, manifests: [{ ...manifest, platform: { os: "linux", architecture: "amd64" } }] }
  const tar = pack()
  const chunks: Buffer[] = []
  const collected = (async () => {
    for await (const chunk of tar) chunks.push(chunk as Buffer)
  })()
  const files = new Map([
    ["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')],
    ...blobs,
    ["index.json", Buffer.from(JSON.stringify(index))],
  ])
  tar.entry({ name: "blobs", type: "directory" })
  for (const [name, bytes] of files) {
    const written = options.tamper === undefined ? bytes : options.tamper(name, bytes)
    if (written !== undefined) tar.entry({ name }, written)
  }
  tar.finalize()
  await collected
  await writeFile(file, Buffer.concat(chunks))
  return manifest.digest
}
