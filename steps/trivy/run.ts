import { join } from "node:path"
import type { Context, Step } from "../../core/step.js"
import { resolveImage, type EngineConfig } from "../../engine/index.js"
import { logProgress } from "../log-progress.js"
import type { BuiltImage, Scan, Source } from "../outputs.js"
import { sourceDir } from "../source.js"
import { trivyInContainer } from "./container.js"
import { readExceptions } from "./exceptions.js"
import type { ScanPolicy } from "./policy.js"
import { scanImage } from "./scan.js"

/** Scans the image that the run built, with the exceptions of its tree. */
export async function runTrivy(
  context: Context<{ readonly source: Step<Source>; readonly image: Step<BuiltImage> }, never>,
  engine: EngineConfig,
  service: string,
  policy: ScanPolicy,
): Promise<Scan> {
  const { source, image } = context.needs
  const folder = await sourceDir(context.run, source)
  const exceptions = await readExceptions(join(folder, policy.exceptionsFile), policy.exceptionsFile)
  const now = new Date()
  const progress = logProgress(context.log)
  const tool = trivyInContainer(context.dag, {
    image: await resolveImage(engine, policy.image, { signal: context.signal, progress }),
    engine,
    policy,
    name: service,
    attempt: context.attempt,
    signal: context.signal,
    warn: (text) => context.log.warn(text),
    now,
  })
  return scanImage(context, tool, { service, image, policy, exceptions, now })
}
