import { stringify } from "yaml"
import { labels } from "./labels.js"

/** Prometheus' name of a label or an annotation of a pod. */
const meta = (kind: "label" | "annotation", name: string) =>
  `__meta_kubernetes_pod_${kind}_${name.replace(/[^A-Za-z0-9_]/g, "_")}`

/**
 * Scrapes, every two seconds, the pods of a namespace that say so: annotations prometheus.io/scrape, port and path, as the
 * chart writes them. Their `instance` is the pod's name. Of itself it keeps only whether it is there (`up`).
 * https://prometheus.io/docs/prometheus/2.53/configuration/configuration/#kubernetes_sd_config
 */
export function prometheusConfig(namespace: string): string {
  const annotation = (name: string) => meta("annotation", `prometheus.io/${name}`)
  const copy = (from: string, to: string) => ({ source_labels: [from], target_label: to })
  const address = [`__meta_kubernetes_pod_ip`, annotation("port")]
  return `# Written by Gantry.\n${stringify(
    {
      global: { scrape_interval: "2s", scrape_timeout: "2s" },
      scrape_configs: [
        {
          job_name: "prometheus",
          static_configs: [{ targets: ["localhost:9090"] }],
          metric_relabel_configs: [{ action: "drop", regex: ".*", source_labels: ["__name__"] }],
        },
        {
          job_name: "services",
          kubernetes_sd_configs: [{ role: "pod", namespaces: { names: [namespace] } }],
          relabel_configs: [
            { source_labels: [annotation("scrape")], action: "keep", regex: "true" },
            { source_labels: ["__meta_kubernetes_pod_phase"], action: "drop", regex: "Succeeded|Failed" },
            // One target for each port of a pod: those that are alike become one.
            { source_labels: address, regex: "([^:]+);(\\d+)", replacement: "$1:$2", target_label: "__address__" },
            { source_labels: address, regex: "(.*:.*);(\\d+)", replacement: "[$1]:$2", target_label: "__address__" },
            { ...copy(annotation("path"), "__metrics_path__"), regex: "(.+)" },
            copy("__meta_kubernetes_pod_name", "instance"),
            copy(meta("label", labels.name), "service"),
            copy(meta("label", labels.track), "track"),
            copy(meta("label", labels.releaseKey), "release_key"),
          ],
        },
      ],
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  )}`
}
