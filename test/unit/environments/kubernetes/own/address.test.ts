import { describe, expect, it } from "vitest"
import type { KubeObject, KubeRef } from "../../../../../clients/kubernetes/index.js"
import { addressOf } from "../../../../../environments/kubernetes/own/address.js"
import { Expose } from "../../../../../environments/kubernetes/settings.js"

const carrier = {
  apiVersion: "apps/v1",
  kind: "Deployment",
  metadata: { name: "order" },
  spec: { template: { metadata: { labels: { app: "order", tier: "web" } } } },
}
const service = (name: string, spec: object = {}) => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name },
  spec: { selector: { app: "order" }, ports: [{ port: 80 }], ...spec },
})
const ingress = (host: string, more: object = {}, path = "/") => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "Ingress",
  metadata: { name: "order" },
  spec: { rules: [{ host, http: { paths: [{ path }] } }], ...more },
})
const route = (...hostnames: string[]) => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "HTTPRoute",
  metadata: { name: "order" },
  spec: { hostnames },
})
const balanced = { ...service("order"), status: { loadBalancer: { ingress: [{ ip: "192.0.2.7" }] } } }
const ported = service("order", { type: "NodePort", ports: [{ port: 80, nodePort: 30_007 }] })

describe("where users reach a service that brings its own objects", () => {
  it.each<[string, readonly KubeObject[], object, readonly KubeObject[], string | undefined]>([
    ["host of an Ingress", [service("order"), ingress("o.example")], {}, [], "http://o.example"],
    [
      "with its certificate and path",
      [ingress("o.example", { tls: [{ hosts: ["o.example"] }] }, "/shop/")],
      {},
      [],
      "https://o.example/shop",
    ],
    ["a path that is a pattern is left out", [ingress("o.example", {}, "/shop(/|$)(.*)")], {}, [], "http://o.example"],
    [
      "where the controller listens",
      [ingress("o.example")],
      { kind: "ingress", host: "x", address: "127.0.0.1:81" },
      [],
      "http://127.0.0.1:81",
    ],
    ["host of an HTTPRoute", [service("order"), route("*.example", "o.example")], {}, [], "http://o.example"],
    ["a balancer's address", [service("order", { type: "LoadBalancer" })], {}, [balanced], "http://192.0.2.7"],
    [
      "a port of the nodes",
      [service("order", { type: "NodePort" })],
      { kind: "nodePort" },
      [ported],
      "http://127.0.0.1:30007",
    ],
    ["whose nodes nobody named", [service("order", { type: "NodePort" })], {}, [ported], "http://order.shop-test.svc"],
    ["within the cluster", [service("other", { ports: [{ port: 8080 }] })], {}, [], "http://other.shop-test.svc:8080"],
    ["not a Service before other pods", [service("db", { selector: { app: "db" } })], {}, [], undefined],
    ["of several the one that is called so", [service("a"), service("order")], {}, [], "http://order.shop-test.svc"],
  ])("%s", async (_what, objects, expose, live, expected) => {
    const cluster = {
      read: <T>({ name }: KubeRef) => Promise.resolve(live.find((o) => o.metadata.name === name) as T | undefined),
    }
    const about = { cluster, service: "order", namespace: "shop-test", objects, carriers: [carrier] }
    expect(await addressOf({ ...about, expose: Expose.parse({ kind: "auto", ...expose }) })).toBe(expected)
  })
})
