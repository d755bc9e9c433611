import { step, type AnyStep, type Step } from "../../core/step.js"
import { Scan, type BuiltImage, type Source } from "../outputs.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"

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
    run: async (context) => (await import("./run.js")).runTrivy(context, settings.engine, service.name, policy),
  })
}
