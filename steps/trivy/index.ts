import { join } from "node:path"
import { step, type AnyStep, type Step } from "../../core/step.js"
import { resolveImage } from "../../engine/index.js"
import { Scan, type BuiltImage, type Source } from "../outputs.js"
import { logProgress } from "../log-progress.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { sourceDir } from "../source.js"
import { trivyInContainer } from "./container.js"
import { readExceptions } from "./exceptions.js"
import { scanImage } from "./scan.js"

/**
 * Scans the archive that will be pushed: vulnerabilities, secrets, misconfigurations. Judged anew in every run, because
 * the database and the calendar move on; what the engine has scanned with the same database costs it nothing.
 * The exceptions are those of the delivered tree.
 */
export function trivy(
  settings: Settings,
  service: Service,
  wiring: { readonly source: Step<Source>; readonly image: Step<BuiltImage>; readonly after?: readonly AnyStep[] },
): Step<Scan> {
  const policy = settings.scan
  return step(`${service.name}.trivy`, {
    stage: "scan",
    service: service.name,
    needs: { source: wiring.source, image: wiring.image },
    ...(wiring.after === undefined ? {} : { after: wiring.after }),
    output: Scan,
    publishes: ["findings"],
    params: { policy: { ...policy } },
    cache: false,
    retry: { attempts: 2 },
    timeout: 20 * 60_000,
    async run(context) {
      const { source, image } = context.needs
      const folder = await sourceDir(context.run, source)
      const exceptions = await readExceptions(join(folder, policy.exceptionsFile), policy.exceptionsFile)
      const now = new Date()
      const progress = logProgress(context.log)
      const tool = trivyInContainer(context.dag, {
        image: await resolveImage(settings.engine, policy.image, { signal: context.signal, progress }),
        engine: settings.engine,
        policy,
        name: service.name,
        attempt: context.attempt,
        signal: context.signal,
        warn: (text) => context.log.warn(text),
        now,
      })
      return scanImage(context, tool, { service: service.name, image, policy, exceptions, now })
    },
  })
}
