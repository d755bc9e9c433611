import { expect, it } from "vitest"
import type { EngineContext } from "../../../../engine/context.js"
import { environment } from "../../../../environments/environment.js"
import { metricsOf } from "../../../../environments/kubernetes/metrics.js"

const figures = { status: "success", data: { resultType: "vector", result: [{ metric: {}, value: [1, "1"] }] } }
const gone = { kind: "Status", message: 'no endpoints available for service "prometheus"' }

/** A cluster in which Prometheus is ready, is gone when it is asked, and is back once it has been applied. */
function leaving() {
  const applied: string[] = []
  let asked = 0
  const cluster = {
    context: "lab",
    server: "https://127.0.0.1:6443",
    raw: (_: string, path: string) => {
      asked++
      const there = asked === 1 || applied.includes("Deployment")
      const text = path.endsWith("/-/ready") ? "ready" : JSON.stringify(there ? figures : gone)
      return Promise.resolve({ status: there ? 200 : 503, text })
    },
    apply: (object: { readonly kind: string }) => Promise.resolve(applied.push(object.kind)),
    list: () => Promise.resolve([]),
    read: () => Promise.resolve(undefined),
  }
  return { applied, cluster }
}

it("a Prometheus that goes between two questions is made again", async () => {
  const { applied, cluster } = leaving()
  const scene = {
    cluster,
    namespace: "shop-test",
    project: "shop",
    environment: environment("test", { target: "kubernetes" }),
    image: () => Promise.resolve(`registry/prometheus@sha256:${"0".repeat(64)}`),
    tell: () => undefined,
  } as unknown as Parameters<typeof metricsOf>[0]
  const source = await metricsOf(scene, {} as EngineContext, new AbortController().signal)
  expect(applied).toContain("Deployment")
  expect(source.dialect).toBeDefined()
})
