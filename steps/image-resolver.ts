import type { EngineConfig } from "../engine/config.js"
import type { Log } from "../core/step.js"
import { logProgress } from "./log-progress.js"

/** What a step is given to name an image by: answers a reference by digest. Loads the engine when a step asks for it. */
export async function imageResolver(
  config: EngineConfig,
  context: { readonly signal: AbortSignal; readonly log: Log },
): Promise<(reference: string) => Promise<string>> {
  const { resolveImage } = await import("../engine/index.js")
  const options = { signal: context.signal, progress: logProgress(context.log) }
  return async (reference) => (await resolveImage(config, reference, options)).reference
}
