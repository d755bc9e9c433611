import type { RepositoryClient } from "../../clients/registry/index.js"
import { isFault } from "../../core/errors.js"
import { memoryOf, readHistory, type HistoryEntry } from "../../environments/index.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { clientOf, type RegistryContext } from "./registry.js"

export type RetainContext = Pick<RegistryContext, "log" | "signal" | "secrets">

/**
 * Has the registry keep what is deployed and what a rollback could need: tags `<environment>-current` and
 * `<environment>-previous-1…` are moved onto these releases, so that a retention rule which keeps `<environment>-*` keeps them.
 * To be called when a release has been rolled out or back. A registry that refuses is warned about: the deployment stands.
 */
export async function retainReleases(
  context: RetainContext,
  settings: Settings,
  service: Service,
  environmentName: string,
): Promise<void> {
  const { log, signal } = context
  const keep = settings.environments[environmentName]?.keepReleases ?? 0
  const history = await readHistory(memoryOf(settings, environmentName, service.name).notes)
  const { client, host, repository } = clientOf(context, settings, service)
  try {
    for (const { tag, digest } of retentionTags(environmentName, history, `${host}/${repository}`, keep)) {
      await moveTag(client, tag, digest, context)
    }
  } catch (error) {
    if (!isFault(error) || error.kind === "cancelled" || signal.aborted) throw error
    log.warn(`the registry does not keep what a rollback of ${environmentName} could need: ${error.message}`)
    log.warn(`${error.reason ?? error.code} The deployment stands. ${error.hint ?? ""}`.trim())
  }
}

/**
 * Which tag belongs on which digest, in an order in which none is without a tag at any moment: the oldest first, each takes the
 * place of one that is older still. Releases of one image with different configurations are one here.
 * @param name `host/repository`: what came from elsewhere cannot be kept here
 */
export function retentionTags(
  environment: string,
  history: readonly Pick<HistoryEntry, "release">[],
  name: string,
  keep: number,
): readonly { readonly tag: string; readonly digest: string }[] {
  const own = history.filter(({ release }) => release.reference === `${name}@${release.digest}`)
  const digests = [...new Set(own.map(({ release }) => release.digest))].slice(0, keep + 1)
  return digests
    .map((digest, i) => ({ tag: i === 0 ? `${environment}-current` : `${environment}-previous-${i}`, digest }))
    .reverse()
}

async function moveTag(client: RepositoryClient, tag: string, digest: string, { log }: RetainContext): Promise<void> {
  if ((await client.resolve(tag)) === digest) return
  const manifest = await client.manifest(digest)
  if (manifest === undefined) {
    log.warn(`the registry has lost ${digest.slice(0, 19)}, to which ${tag} should point: no rollback to it`)
    return
  }
  // The exact bytes: another text of the same manifest would be another digest.
  await client.putManifest(tag, manifest.bytes, mediaTypeOf(manifest.bytes))
  log.info(`${client.repository}:${tag} is ${digest.slice(0, 19)}`)
}

/** As the manifest says itself; OCI manifests may leave it out (image-spec v1.1, manifest.md, index.md). */
function mediaTypeOf(bytes: Uint8Array): string {
  const manifest = JSON.parse(new TextDecoder().decode(bytes)) as { mediaType?: string; manifests?: unknown }
  const kind = manifest.manifests === undefined ? "manifest" : "index"
  return manifest.mediaType ?? `application/vnd.oci.image.${kind}.v1+json`
}
