import { repositoryClient } from "../../clients/registry/index.js"
import { fault } from "../../core/errors.js"
import type { Context } from "../../core/step.js"
import { ensureStack, hostCa } from "../../engine/index.js"
import type { Release } from "../outputs.js"
import { placeOf } from "../push/place.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"

/** What is needed of a step's context; that of any step which has the release fits. */
export interface RegistryContext extends Pick<Context<Record<never, never>, never>, "log" | "signal"> {
  readonly needs: { readonly release: Release }
  readonly secrets: Readonly<Record<string, { plaintext(): string }>>
}

/** The password of the registry, where it wants one. */
export function registryLogin(context: Pick<RegistryContext, "secrets">, settings: Settings, service: Service) {
  const { username, passwordSecret } = placeOf(settings.engine, settings.project, service.name)
  const password = passwordSecret === undefined ? undefined : context.secrets[passwordSecret]?.plaintext()
  return username === undefined || password === undefined ? undefined : { username, password }
}

/** The stack's own registry runs, where releases come from it. */
export async function ensureRegistry(settings: Settings, service: Service, signal: AbortSignal): Promise<void> {
  const { embedded } = placeOf(settings.engine, settings.project, service.name)
  if (embedded) await ensureStack(settings.engine, ["registry"], { signal })
}

/** Whether the registry has an image of this service by its digest. @throws those of the registry */
export async function registryHas(
  context: Pick<RegistryContext, "secrets" | "signal">,
  settings: Settings,
  service: Service,
  image: { readonly reference: string; readonly digest: string },
): Promise<boolean> {
  const { client, repository } = clientOf(context, settings, service)
  if (!image.reference.endsWith(`/${repository}@${image.digest}`)) return false
  return (await client.manifest(image.digest))?.digest === image.digest
}

/** The service's repository in the registry of the releases, and a client of it. */
export function clientOf(context: Pick<RegistryContext, "secrets" | "signal">, settings: Settings, service: Service) {
  const { url, host, repository } = placeOf(settings.engine, settings.project, service.name)
  const credentials = registryLogin(context, settings, service)
  const options = { url, credentials, signal: context.signal, policy: { ca: hostCa(settings.engine) } }
  return { client: repositoryClient(options, repository), repository, url, host }
}

/** The registry has the very bytes that were approved. @throws ROLLOUT-DIGEST and those of the registry */
export async function checkRegistry(context: RegistryContext, settings: Settings, service: Service): Promise<void> {
  const { release } = context.needs
  await ensureRegistry(settings, service, context.signal)
  const { client, repository, url } = clientOf(context, settings, service)
  const manifest = await client.manifest(release.digest)
  if (manifest?.digest === release.digest && release.reference.endsWith(`/${repository}@${release.digest}`)) {
    context.log.info(`the registry has ${release.reference}`)
    return
  }
  throw fault({
    code: "ROLLOUT-DIGEST",
    kind: "failed",
    message: `The registry does not have what was approved: ${release.reference}`,
    reason:
      manifest === undefined ? `${url} knows no such manifest in ${repository}.` : `It answers ${manifest.digest}.`,
    hint: "Was it deleted there? Deliver the commit again.",
  })
}
