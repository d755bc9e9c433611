import { engineContext, type ContextOptions } from "./context.js"
import type { EngineConfig } from "./config.js"
import { ensureDocker } from "./docker/ensure.js"
import { resolveWith, type ResolvedImage } from "./image/resolve.js"
import { daggerCli } from "./session/cli.js"
import { daggerEngine } from "./stack/engine.js"
import { ensureComponents } from "./stack/ensure.js"
import { registry } from "./stack/registry.js"

/**
 * Provides components of the stack and images at once, whatever is independent in parallel, so that the first run does
 * not wait for one after the other. What is there already costs a look. Answers the images by the reference asked for.
 * Errors: those of `ensureStack` and `resolveImage`; the first one, after everything else had its time.
 */
export async function provision(
  config: EngineConfig,
  wanted: { readonly components: readonly string[]; readonly images: readonly string[] },
  options: ContextOptions = {},
): Promise<ReadonlyMap<string, ResolvedImage>> {
  const context = engineContext(config, options)
  await ensureDocker(context)
  const images = new Map<string, ResolvedImage>()
  const withRegistry = (): Promise<void> => ensureComponents(context, [registry.id])
  const work = [
    ...wanted.components.map((id) => ensureComponents(context, [id])),
    ...(wanted.components.includes(daggerEngine.id)
      ? [ensureComponents(context, [daggerEngine.id]).then(() => daggerCli(context))]
      : []),
    ...wanted.images.map(async (reference) => {
      images.set(reference, await resolveWith(context, reference, withRegistry))
    }),
  ]
  for (const result of await Promise.allSettled(work)) if (result.status === "rejected") throw result.reason
  return images
}
