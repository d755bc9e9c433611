import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { prometheusConfig, scrapeTargets } from "../../../environments/docker/prometheus-config.js"
import { keepsPrometheus } from "../../../environments/prometheus.js"
import { environment, type EnvironmentInput } from "../../../environments/environment.js"

describe("an environment keeps a Prometheus", () => {
  it.each<[string, EnvironmentInput, boolean]>([
    ["not for rolling", {}, false],
    ["for canary", { strategy: { kind: "canary" } }, true],
    ["not for blue-green that is not watched", { strategy: { kind: "blue-green" } }, false],
    ["for blue-green that is watched", { strategy: { kind: "blue-green", watchSeconds: 30 } }, true],
    ["where it is wanted", { metrics: true }, true],
    ["not where there is another", { strategy: { kind: "canary" }, prometheus: { url: "http://p:9090" } }, false],
  ])("%s", (_, input, keeps) => {
    expect(keepsPrometheus(environment("prod", input))).toBe(keeps)
  })
})

describe("what it scrapes", () => {
  it("is the balancer's exporter each second, and what the files name", () => {
    const config = parse(prometheusConfig("172.20.0.2")) as {
      scrape_configs: { job_name: string; scrape_interval?: string; [key: string]: unknown }[]
    }
    expect(config.scrape_configs).toMatchObject([
      { job_name: "balancer", scrape_interval: "1s", static_configs: [{ targets: ["172.20.0.2:8405"] }] },
      { job_name: "services", file_sd_configs: [{ files: ["/etc/prometheus/targets/*.json"] }] },
    ])
  })
  it("is each instance under the balancer's name of its slot", () => {
    const text = scrapeTargets("order-desk", [
      { slot: 3, address: "172.20.0.67", port: 8080, path: "/actuator/prometheus" },
    ])
    expect(JSON.parse(text)).toEqual([
      {
        targets: ["172.20.0.67:8080"],
        labels: { service: "order-desk", instance: "order-desk-3", __metrics_path__: "/actuator/prometheus" },
      },
    ])
    expect(JSON.parse(scrapeTargets("order-desk", []))).toEqual([])
  })
})
