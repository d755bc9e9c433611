import type { Environment } from "./environment.js"

/** What the Prometheus of an environment is, wherever it runs. */

/** Public name of the image. */
export const prometheusImage = "docker.io/prom/prometheus:v2.53.3"

/** At most; what it needs with one service is a tenth of it. Megabytes (2^20 bytes). */
export const prometheusMemoryMB = 512

/** Whether an environment keeps a Prometheus of Gantry's own. */
export function keepsPrometheus({ strategy, metrics, prometheus }: Environment): boolean {
  if (prometheus !== undefined) return false
  return metrics || strategy.kind === "canary" || (strategy.kind === "blue-green" && strategy.watchSeconds > 0)
}

/** A rollout takes minutes, at most hours; what is older is of use to nobody, and alarms are another system's affair. */
export const prometheusArguments = (config: string, data: string): string[] => [
  `--config.file=${config}`,
  `--storage.tsdb.path=${data}`,
  "--storage.tsdb.retention.time=6h",
  "--storage.tsdb.retention.size=512MB",
  "--query.timeout=10s",
  "--log.level=warn",
]
