import { pipeline, type Pipeline } from "../core/pipeline.js"
import type { Step } from "../core/step.js"
import type { Deployment } from "../steps/outputs.js"
import { rollback } from "../steps/rollback/index.js"
import type { Settings } from "../steps/settings.js"
import { inCallOrder } from "./order.js"

/**
 * Takes the services of an environment back to the releases that a person ordered. A service goes before those it calls:
 * the other way round as it came, so that a caller never meets an older release than it was tested with.
 * @throws SERVICE-CYCLE, ENVIRONMENT-UNKNOWN
 */
export function rollbackOf(settings: Settings, environment: string): Pipeline {
  const steps = new Map<string, Step<Deployment>>()
  for (const service of [...inCallOrder(settings.services)].reverse()) {
    const callers = settings.services
      .filter((s) => s.calls.includes(service.name))
      .flatMap((s) => steps.get(s.name) ?? [])
    steps.set(service.name, rollback(settings, service, environment, callers))
  }
  return pipeline(`rollback-${environment}`, {
    description: `${environment} back to an earlier release`,
    targets: [...steps.values()],
  })
}
