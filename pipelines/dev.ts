import { pipeline, type Pipeline } from "../core/pipeline.js"
import type { MaybeStep } from "../core/step.js"
import { developmentName, developmentOnly } from "../environments/index.js"
import { checkout } from "../steps/checkout/index.js"
import { dependencies } from "../steps/dependencies/index.js"
import { deploy } from "../steps/deploy/index.js"
import { buildImage } from "../steps/image/index.js"
import { migrate } from "../steps/migrate/index.js"
import type { Deployment } from "../steps/outputs.js"
import { push } from "../steps/push/index.js"
import type { Settings } from "../steps/settings.js"
import { inCallOrder } from "./order.js"

/**
 * The work tree in an environment of its own, as fast as can be: nothing is tested, scanned or asked.
 *
 *     checkout → image build → push → what it depends on → migration → DEV
 *
 * @throws SERVICE-CYCLE
 */
export function dev(given: Settings): Pipeline {
  const settings = developmentOnly(given)
  const source = checkout(settings)
  const brought = dependencies(settings, developmentName, { source })
  const needed = brought === undefined ? [] : [brought]
  const deployed = new Map<string, MaybeStep<Deployment>>()

  for (const service of inCallOrder(settings.services)) {
    const image = buildImage(settings, service, { source })
    const release = push(settings, service, { source, image })
    const migrated = migrate(settings, service, developmentName, { source, release, after: needed })
    const called = service.calls.flatMap((name) => deployed.get(name) ?? [])
    const after = [...needed, ...(migrated === undefined ? [] : [migrated]), ...called]
    deployed.set(service.name, deploy(settings, service, developmentName, { source, release, after }))
  }
  return pipeline("dev", { description: "the work tree to DEV", targets: [...deployed.values()] })
}
