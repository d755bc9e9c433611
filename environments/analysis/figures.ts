import { fault } from "../../core/errors.js"
import type { MetricsSource } from "./verdict.js"

/**
 * What measures nothing of itself cannot be judged where the services' own figures are all that there is. Said before any
 * traffic moves: it would stay inconclusive for ever. @throws METRICS-NONE
 */
export function checkFigures(
  { dialect }: MetricsSource,
  { metrics }: { readonly metrics?: string | undefined },
  { service, environment }: { readonly service: string; readonly environment: string },
): void {
  if (dialect?.ownFigures !== true || metrics !== undefined) return
  throw fault({
    code: "METRICS-NONE",
    kind: "usage",
    message: `${service} answers no figures that its release in ${environment} could be judged by`,
    reason:
      "On Kubernetes a release is judged by what the service measures itself (http_server_requests_seconds, Micrometer's names), and its gantry.service.yaml has no `metrics`.",
    hint: "Say where it answers them, e.g. `metrics: /actuator/prometheus`; or take a strategy that does not judge: rolling, or blue-green without `watchSeconds`.",
  })
}
