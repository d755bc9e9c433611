import { readdir, readFile } from "node:fs/promises"
import { join, relative, sep } from "node:path"
import { constants, gzipSync } from "node:zlib"
import { pack } from "tar-stream"
import { parse } from "yaml"
import { z } from "zod"
import type { Descriptor, RepositoryClient } from "../../clients/registry/index.js"
import { fault } from "../../core/errors.js"
import { sha256 } from "../../core/json.js"
import { chartFolder } from "./render.js"

/** https://helm.sh/community/hips/hip-0017, https://www.iana.org/assignments/media-types/ */
const mediaTypes = {
  manifest: "application/vnd.oci.image.manifest.v1+json",
  config: "application/vnd.cncf.helm.config.v1+json",
  content: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
} as const

/** Annotation with the hash of the content before compression: two versions of zlib compress the same bytes differently. */
const contentAnnotation = "dev.gantry.chart-content"

const Metadata = z.looseObject({ name: z.string(), version: z.string(), description: z.string() })

/** A chart as an OCI artifact: what `helm pull` and `helm install oci://…` read. */
export interface ChartPackage {
  readonly name: string
  readonly version: string
  /** Of the manifest. */
  readonly digest: string
  /** Hash of the chart's files, whoever compresses them. */
  readonly content: string
  /** The .tgz, as `helm package` would make it. */
  readonly archive: Uint8Array
  readonly manifest: Uint8Array
  readonly blobs: readonly { readonly descriptor: Descriptor; readonly bytes: Uint8Array }[]
}

/** Packs a chart. The same files make the same bytes: no times, no owners, one order. */
export async function packageChart(folder = chartFolder()): Promise<ChartPackage> {
  const metadata = Metadata.parse(parse(await readFile(join(folder, "Chart.yaml"), "utf8")))
  const tar = await tarOf(folder, metadata.name)
  const archive = gzipSync(tar, { level: constants.Z_BEST_COMPRESSION })
  archive[9] = 255 // The operating system of who compressed it: unknown.
  const config = Buffer.from(JSON.stringify(metadata))
  const content = `sha256:${sha256(tar)}`
  const blobs = [
    { descriptor: descriptor(mediaTypes.config, config), bytes: config },
    { descriptor: descriptor(mediaTypes.content, archive), bytes: archive },
  ]
  const manifest = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: mediaTypes.manifest,
      config: blobs[0]?.descriptor,
      layers: [blobs[1]?.descriptor],
      annotations: {
        "org.opencontainers.image.title": metadata.name,
        "org.opencontainers.image.version": metadata.version,
        "org.opencontainers.image.description": metadata.description,
        [contentAnnotation]: content,
      },
    }),
  )
  return {
    name: metadata.name,
    version: metadata.version,
    digest: `sha256:${sha256(manifest)}`,
    content,
    archive,
    manifest,
    blobs,
  }
}

/** What the registry has of this chart's version. */
export async function findChart(
  client: RepositoryClient,
  chart: Pick<ChartPackage, "version">,
): Promise<{ readonly digest: string; readonly content: string | undefined } | undefined> {
  const there = await client.manifest(tagOf(chart.version))
  if (there === undefined) return undefined
  const { annotations } = Manifest.parse(JSON.parse(Buffer.from(there.bytes).toString("utf8")))
  return { digest: there.digest, content: annotations?.[contentAnnotation] }
}

const Manifest = z.looseObject({ annotations: z.record(z.string(), z.string()).optional() })

/**
 * Pushes a chart under its version unless it is there. Answers the digest under which the registry has it.
 * @throws CHART-VERSION when the version names another chart there, and those of the registry
 */
export async function pushChart(
  client: RepositoryClient,
  chart: ChartPackage,
  options: {
    /** For a registry on one machine, where a version is being worked on: what it names may change. */
    readonly replace?: boolean
  } = {},
): Promise<{ readonly digest: string; readonly pushed: boolean }> {
  const there = await findChart(client, chart)
  if (there?.content === chart.content) return { digest: there.digest, pushed: false }
  if (there !== undefined && options.replace !== true) {
    throw fault({
      code: "CHART-VERSION",
      kind: "failed",
      message: `${client.host}/${client.repository} has another chart under the version ${chart.version}`,
      reason: `There it is ${there.digest}, with the content ${there.content ?? "unknown"}; this one has ${chart.content}.`,
      hint: "A version names one chart for ever: raise `version` in Chart.yaml.",
    })
  }
  for (const { descriptor: blob, bytes } of chart.blobs) {
    if (!(await client.hasBlob(blob))) await client.uploadBlob(blob, () => new Blob([new Uint8Array(bytes)]).stream())
  }
  await client.putManifest(tagOf(chart.version), chart.manifest, mediaTypes.manifest)
  return { digest: chart.digest, pushed: true }
}

/** A tag cannot have the + of a version; Helm writes _ instead, too. */
export const tagOf = (version: string) => version.replaceAll("+", "_")

function descriptor(mediaType: string, bytes: Uint8Array): Descriptor {
  return { mediaType, digest: `sha256:${sha256(bytes)}`, size: bytes.length }
}

async function tarOf(folder: string, name: string): Promise<Buffer> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true })
  const files = found
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => ({ path, within: relative(folder, path).split(sep).join("/") }))
    // Helm wants Chart.yaml first.
    .sort(
      (a, b) => Number(b.within === "Chart.yaml") - Number(a.within === "Chart.yaml") || (a.within < b.within ? -1 : 1),
    )
  const tar = pack()
  for (const { path, within } of files) {
    tar.entry({ name: `${name}/${within}`, mode: 0o644, mtime: new Date(0), uid: 0, gid: 0 }, await readFile(path))
  }
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
