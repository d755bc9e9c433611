import { describe, expect, it } from "vitest"
import { parse } from "yaml"
import { prometheusClient } from "../../../../clients/prometheus/index.js"
import { prometheusConfig } from "../../../../environments/kubernetes/prometheus-config.js"
import { prometheusObjects, type PrometheusPlace } from "../../../../environments/kubernetes/prometheus.js"
import { throughApiServer } from "../../../../environments/kubernetes/proxy.js"
import type { Scene } from "../../../../environments/kubernetes/scene.js"
import { KubernetesSettings } from "../../../../environments/kubernetes/settings.js"
import { podsOf, violations } from "../../../fakes/pod-security.js"

const place: PrometheusPlace = {
  namespace: "shop-test",
  project: "shop",
  environment: "test",
  image: `registry.example/prometheus@sha256:${"a".repeat(64)}`,
  apiServers: [],
  apiPorts: [],
}
const specOf = (kind: string, over: Partial<PrometheusPlace> = {}) =>
  prometheusObjects({ ...place, ...over }).find((o) => o.kind === kind)?.["spec"] as Record<string, never>

describe("the Prometheus of an environment in a cluster", () => {
  it("stays in its namespace, belongs to nobody's release, and is found by its labels", () => {
    for (const { metadata } of prometheusObjects(place)) {
      expect(metadata).toMatchObject({
        name: "prometheus",
        namespace: "shop-test",
        labels: {
          "app.kubernetes.io/name": "prometheus",
          "app.kubernetes.io/managed-by": "gantry",
          "app.kubernetes.io/part-of": "shop",
          "gantry.dev/environment": "test",
          "gantry.dev/part": "metrics",
        },
      })
    }
    const { selector, template } = specOf("Deployment") as unknown as {
      selector: { matchLabels: object }
      template: { metadata: { labels: object } }
    }
    expect(template.metadata.labels).toEqual(selector.matchLabels)
    expect(specOf("Service")["selector"]).toEqual(selector.matchLabels)
    expect(specOf("NetworkPolicy")["podSelector"]).toEqual({ matchLabels: selector.matchLabels })
  })

  it("makes a role before its binding, and the pod last", () => {
    const kinds = prometheusObjects(place).map((o) => o.kind)
    expect(kinds.indexOf("Role")).toBeLessThan(kinds.indexOf("RoleBinding"))
    expect(kinds.at(-1)).toBe("Deployment")
    expect(kinds.some((kind) => kind.startsWith("Cluster"))).toBe(false)
  })

  it("keeps to Pod Security's restricted profile, with limits and a bounded volume", () => {
    const pods = prometheusObjects(place).flatMap(podsOf)
    expect(pods).toHaveLength(1)
    expect(pods.flatMap(violations)).toEqual([])
    expect(pods[0]?.containers).toMatchObject([
      {
        image: place.image,
        resources: { limits: { memory: "512Mi" }, requests: {} },
        securityContext: { readOnlyRootFilesystem: true },
      },
    ])
    expect(pods[0]?.volumes).toContainEqual({ name: "data", emptyDir: { sizeLimit: "1Gi" } })
  })

  it.each<[string, Partial<PrometheusPlace>, unknown, readonly number[]]>([
    ["nobody, where the network lets nodes in", {}, [], [443, 6443]],
    [
      "the API server's addresses",
      { apiServers: ["10.0.0.10/32", "fd00::/64"], apiPorts: [16443] },
      [
        {
          from: [{ ipBlock: { cidr: "10.0.0.10/32" } }, { ipBlock: { cidr: "fd00::/64" } }],
          ports: [{ protocol: "TCP", port: 9090 }],
        },
      ],
      [443, 6443, 16443],
    ],
    ["a port once", { apiPorts: [6443] }, [], [443, 6443]],
  ])("lets in %s", (_, over, ingress, ports) => {
    const policy = specOf("NetworkPolicy", over) as unknown as { ingress: unknown; egress: { ports: object[] }[] }
    expect(policy.ingress).toEqual(ingress)
    expect(policy.egress.at(-1)?.ports).toEqual(ports.map((port) => ({ protocol: "TCP", port })))
  })

  it("is made anew when its configuration is another", () => {
    const hash = (namespace: string) => {
      const { template } = specOf("Deployment", { namespace }) as unknown as {
        template: { metadata: { annotations: Record<string, string> } }
      }
      return template.metadata.annotations["gantry.dev/config-hash"]
    }
    expect(hash("shop-test")).toMatch(/^[0-9a-f]{64}$/)
    expect(hash("shop-test")).not.toBe(hash("shop-uat"))
  })

  it.each([
    [["10.0.0.1/32"], true],
    [["2001:db8::/32"], true],
    [["10.0.0.1"], false],
    [["api.example"], false],
  ])("apiServers: %j", (apiServers, good) => {
    expect(KubernetesSettings.safeParse({ apiServers }).success).toBe(good)
  })
})

describe("what it scrapes", () => {
  interface Relabel {
    readonly source_labels: readonly string[]
    readonly regex?: string
    readonly replacement?: string
    readonly target_label?: string
    readonly action?: string
  }
  const config = parse(prometheusConfig("shop-test")) as {
    scrape_configs: { job_name: string; relabel_configs?: Relabel[]; kubernetes_sd_configs?: unknown }[]
  }
  const services = config.scrape_configs.find((one) => one.job_name === "services")
  /** As Prometheus relabels: https://prometheus.io/docs/prometheus/2.53/configuration/configuration/#relabel_config */
  const relabel = (meta: Readonly<Record<string, string>>) => {
    const labels: Record<string, string> = { ...meta }
    for (const {
      source_labels,
      regex = "(.*)",
      replacement = "$1",
      target_label,
      action,
    } of services?.relabel_configs ?? []) {
      const match = new RegExp(`^(?:${regex})$`).exec(source_labels.map((name) => labels[name] ?? "").join(";"))
      if ((action === "keep" && match === null) || (action === "drop" && match !== null)) return undefined
      if (target_label === undefined || match === null) continue
      labels[target_label] = replacement.replace(/\$(\d)/g, (_, group: string) => match[Number(group)] ?? "")
    }
    return labels
  }
  const pod = (over: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(
      Object.entries({
        ip: "10.244.0.7",
        phase: "Running",
        name: "web-blue-5d-abcde",
        label_app_kubernetes_io_name: "web",
        label_gantry_dev_track: "blue",
        label_gantry_dev_release_key: "0123456789ab",
        annotation_prometheus_io_scrape: "true",
        annotation_prometheus_io_port: "8080",
        annotation_prometheus_io_path: "/actuator/prometheus",
        ...over,
      }).map(([name, value]) => [`__meta_kubernetes_pod_${name}`, value]),
    )

  it("is the pods of its namespace alone", () => {
    expect(services?.kubernetes_sd_configs).toEqual([{ role: "pod", namespaces: { names: ["shop-test"] } }])
  })
  it("is a pod that says so, under its own name", () => {
    expect(relabel(pod())).toMatchObject({
      __address__: "10.244.0.7:8080",
      __metrics_path__: "/actuator/prometheus",
      instance: "web-blue-5d-abcde",
      service: "web",
      track: "blue",
      release_key: "0123456789ab",
    })
  })
  it.each([
    ["does not say so", { annotation_prometheus_io_scrape: "" }],
    ["says no", { annotation_prometheus_io_scrape: "false" }],
    ["has ended", { phase: "Succeeded" }],
    ["has failed", { phase: "Failed" }],
  ])("is no pod that %s", (_, over) => {
    expect(relabel(pod(over))).toBeUndefined()
  })
  it("has addresses of the sixth version in brackets", () => {
    expect(relabel(pod({ ip: "fd00::7" }))?.["__address__"]).toBe("[fd00::7]:8080")
  })
})

describe("asking through the API server", () => {
  const { signal } = new AbortController()
  const status = (code: number, message: string) => ({
    status: code,
    text: JSON.stringify({ kind: "Status", status: "Failure", message }),
  })
  const number = {
    status: 200,
    text: JSON.stringify({ status: "success", data: { resultType: "scalar", result: [1764144000, "7"] } }),
  }
  function fake(...answers: { status: number; text: string }[]) {
    const asked: unknown[][] = []
    const raw = (...args: unknown[]) => {
      asked.push(args)
      return Promise.resolve((answers.length > 1 ? answers.shift() : answers[0]) ?? number)
    }
    const scene = { namespace: "shop-test", cluster: { context: "lab", raw } } as unknown as Scene
    return { asked, client: prometheusClient({ url: "the cluster", send: throughApiServer(scene) }) }
  }
  const base = "/api/v1/namespaces/shop-test/services/prometheus:9090/proxy"

  it("is a form by POST, and names the right that it takes", async () => {
    const { client, asked } = fake(number)
    expect(await client.query("sum(x)", signal, 5)).toBe(7)
    expect(asked).toEqual([
      [
        "POST",
        `${base}/api/v1/query`,
        {
          verb: "create",
          resource: "services/proxy",
          namespace: "shop-test",
          name: "prometheus:9090",
          context: "lab",
        },
        { text: "query=sum%28x%29&timeout=5s&time=5.000", type: "application/x-www-form-urlencoded" },
      ],
    ])
  })
  it("is repeated while nobody is there, and then says what the API server says", async () => {
    const gone = status(503, 'no endpoints available for service "prometheus:9090"')
    const { client, asked } = fake(gone, number)
    expect(await client.query("x", signal)).toBe(7)
    expect(asked).toHaveLength(2)
    const never = fake(gone)
    await expect(never.client.query("x", signal)).rejects.toMatchObject({
      code: "METRICS-UNREACHABLE",
      kind: "errored",
      reason: 'HTTP 503: no endpoints available for service "prometheus:9090"',
    })
    expect(never.asked).toHaveLength(3)
  })
  it("whether it is ready is asked once", async () => {
    const { client, asked } = fake(status(503, "no endpoints"))
    expect(await client.isReady(signal)).toBe(false)
    expect(asked.map(([method, path]) => [method, path])).toEqual([["GET", `${base}/-/ready`]])
    expect(await fake({ status: 200, text: "Prometheus Server is Ready." }).client.isReady(signal)).toBe(true)
  })
  it("what Prometheus itself refuses is its word", async () => {
    const refusal = { status: "error", errorType: "bad_data", error: "parse error" }
    const { client, asked } = fake({ status: 400, text: JSON.stringify(refusal) })
    await expect(client.query("sum(", signal)).rejects.toMatchObject({ code: "METRICS-QUERY", kind: "usage" })
    expect(asked).toHaveLength(1)
  })
})
