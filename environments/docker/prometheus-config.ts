import { stringify } from "yaml"
import { metricsPort, serverName } from "./haproxy-config.js"

/** Where configuration and figures are inside the container: as the official image has it. */
export const configFolder = "/etc/prometheus"
export const dataFolder = "/prometheus"
/** Below the configuration; one file for each service, read anew whenever it changes. */
export const targetsFolder = "targets"

/**
 * The whole configuration. The exporter is asked each second: it costs a millisecond, and a verdict waits for its figures. The
 * services every two: a Spring service takes some ten milliseconds for an answer, and five points in the smallest
 * useful window of ten seconds are enough for a quantile.
 */
export function prometheusConfig(balancer: string): string {
  return `# Written by Gantry. What of the services is scraped stands in ${targetsFolder}/ and changes without a restart.\n${stringify(
    {
      global: { scrape_interval: "2s", scrape_timeout: "2s" },
      scrape_configs: [
        {
          job_name: "balancer",
          scrape_interval: "1s",
          scrape_timeout: "1s",
          params: { scope: ["frontend", "backend", "server"] },
          static_configs: [{ targets: [`${balancer}:${metricsPort}`], labels: { instance: "balancer" } }],
        },
        {
          job_name: "services",
          // Changes are told by the kernel; looking every few seconds is for file systems that do not tell.
          file_sd_configs: [{ files: [`${configFolder}/${targetsFolder}/*.json`], refresh_interval: "5s" }],
        },
      ],
    },
    { lineWidth: 0 },
  )}`
}

/** One instance that answers figures. */
export interface ScrapedInstance {
  readonly slot: number
  readonly address: string
  readonly port: number
  readonly path: string
}

/**
 * The instances of a service in the format of file_sd. Their `instance` is the balancer's name of the slot, so that a query
 * finds the same instance among HAProxy's figures (`server`) and its own.
 */
export function scrapeTargets(service: string, instances: readonly ScrapedInstance[]): string {
  return `${JSON.stringify(
    instances.map(({ slot, address, port, path }) => ({
      targets: [`${address}:${port}`],
      labels: { service, instance: serverName(service, slot), __metrics_path__: path },
    })),
    undefined,
    1,
  )}\n`
}
