import { setTimeout as sleep } from "node:timers/promises"
import type { SendToPrometheus } from "../../clients/prometheus/index.js"
import { prometheusName, prometheusPort } from "./prometheus.js"
import type { Scene } from "./scene.js"

/** A rollout waits for the answer: soon is better than surely. */
const attempts = 3
const pauseMs = 300

/**
 * Asks the environment's Prometheus through the API server: from wherever the kubeconfig works, and with its rights alone.
 * https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls
 * @throws K8S-FORBIDDEN, K8S-UNREACHABLE, …
 */
export function throughApiServer({ cluster, namespace }: Pick<Scene, "cluster" | "namespace">): SendToPrometheus {
  const name = `${prometheusName}:${prometheusPort}`
  const base = `/api/v1/namespaces/${namespace}/services/${name}/proxy`
  return async ({ path, form, signal, once = false }) => {
    const verb = form === undefined ? "get" : "create"
    const asked = { verb, resource: "services/proxy", namespace, name, context: cluster.context }
    const body = form === undefined ? undefined : { text: form.toString(), type: "application/x-www-form-urlencoded" }
    for (let attempt = 1; ; attempt++) {
      signal.throwIfAborted()
      const answer = await cluster.raw(form === undefined ? "GET" : "POST", `${base}${path}`, asked, body)
      if (answer.status < 500 || once || attempt >= attempts) return { ...answer, text: said(answer.text) }
      await sleep(pauseMs, undefined, { signal })
    }
  }
}

/** What the API server itself has to say: no endpoints available for service "prometheus". */
function said(text: string): string {
  try {
    const { kind, message } = JSON.parse(text) as { kind?: string; message?: string }
    return kind === "Status" && message !== undefined ? message : text
  } catch {
    return text
  }
}
