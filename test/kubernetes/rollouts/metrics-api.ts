import { outside } from "../outside.js"
import type { Rig } from "../rig.js"

const group = "custom.metrics.k8s.io"
const version = "v1beta2"
/** Below which Kubernetes finds it. https://github.com/kubernetes/metrics, pkg/apis/custom_metrics */
const root = `/apis/${group}/${version}`

export interface MetricsApi {
  /** Takes it out of the cluster. */
  remove(): Promise<void>
}

/**
 * The custom metrics API with one metric: requests a second of each pod of the rig's namespace, from what the pods themselves
 * say they have served. Peers like Prometheus Adapter are in no package registry; this is the part of them that an autoscaler asks.
 */
export async function metricsApi(rig: Rig, metric: string): Promise<MetricsApi> {
  const service = "custom-metrics"
  const rates = ratesOf(rig)
  const server = await outside(
    rig,
    (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? "/", "https://cluster")
      const path = decodeURIComponent(pathname)
      const answer = (status: number, body: object) => {
        response.writeHead(status, { "content-type": "application/json" })
        response.end(JSON.stringify(body))
      }
      if (path === root) return answer(200, resources(metric))
      if (path !== `${root}/namespaces/${rig.namespace}/pods/*/${metric}`) return answer(404, { kind: "Status" })
      rates(searchParams.get("labelSelector") ?? "").then(
        (found) => answer(200, values(rig.namespace, metric, found)),
        (error: unknown) => answer(500, { kind: "Status", message: String(error) }),
      )
    },
    `${service}.${rig.namespace}.svc`,
  )
  const { namespace } = rig
  const own = { name: service, namespace }
  const objects = [
    { apiVersion: "v1", kind: "Service", metadata: own, spec: { ports: [{ port: 443, targetPort: server.port }] } },
    {
      apiVersion: "discovery.k8s.io/v1",
      kind: "EndpointSlice",
      metadata: { ...own, labels: { "kubernetes.io/service-name": service } },
      addressType: "IPv4",
      ports: [{ port: server.port }],
      endpoints: [{ addresses: [server.host], conditions: { ready: true } }],
    },
    {
      apiVersion: "apiregistration.k8s.io/v1",
      kind: "APIService",
      metadata: { name: `${version}.${group}` },
      spec: {
        service: own,
        group,
        version,
        caBundle: server.caBundle,
        groupPriorityMinimum: 100,
        versionPriority: 100,
      },
    },
  ]
  await rig.lab.kubectl(["apply", "-f", "-"], { input: objects.map((o) => JSON.stringify(o)).join("\n---\n") })
  await rig.lab.kubectl(["wait", "--for=condition=Available", `apiservice/${version}.${group}`, "--timeout=60s"])
  return {
    async remove() {
      await rig.lab.kubectl(["delete", "apiservice", `${version}.${group}`])
      server.close()
    },
  }
}

const resources = (metric: string) => ({
  kind: "APIResourceList",
  apiVersion: "v1",
  groupVersion: `${group}/${version}`,
  resources: [{ name: `pods/${metric}`, singularName: "", namespaced: true, kind: "MetricValueList", verbs: ["get"] }],
})

const values = (namespace: string, name: string, rates: ReadonlyMap<string, number>) => ({
  kind: "MetricValueList",
  apiVersion: `${group}/${version}`,
  metadata: {},
  items: [...rates].map(([pod, rate]) => ({
    describedObject: { kind: "Pod", namespace, name: pod, apiVersion: "/v1" },
    metric: { name },
    timestamp: new Date().toISOString(),
    value: `${Math.round(rate * 1000)}m`,
  })),
})

interface Counted {
  readonly at: number
  readonly served: number
}

/** Requests a second of the pods that a selector finds, since they were last counted. */
function ratesOf({ lab, namespace }: Rig) {
  const before = new Map<string, Counted>()
  const count = async (pod: string): Promise<Counted> => {
    const path = `/api/v1/namespaces/${namespace}/pods/${pod}:8080/proxy/metrics`
    const text = await lab.kubectl(["get", "--raw", path])
    const counts = [...text.matchAll(/^http_server_requests_seconds_count\{.*\} (\d+)$/gm)].map(([, n]) => Number(n))
    return { at: performance.now(), served: counts.reduce((sum, n) => sum + n, 0) }
  }
  return async (selector: string): Promise<ReadonlyMap<string, number>> => {
    const filter = ["--namespace", namespace, "--selector", selector, "--field-selector", "status.phase=Running"]
    const names = (await lab.kubectl(["get", "pods", ...filter, "-o", "jsonpath={.items[*].metadata.name}"])).split(" ")
    const rates = new Map<string, number>()
    for (const pod of names.filter((name) => name !== "")) {
      const now = await count(pod)
      const last = before.get(pod)
      if (last !== undefined) rates.set(pod, ((now.served - last.served) * 1000) / (now.at - last.at))
      before.set(pod, now)
    }
    return rates
  }
}
