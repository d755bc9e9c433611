import { describe, expect, it } from "vitest"
import type { Cluster, KubeObject } from "../../../../clients/kubernetes/index.js"
import { environment, type EnvironmentInput } from "../../../../environments/environment.js"
import { exposedOf } from "../../../../environments/kubernetes/exposed.js"

const gateway = (name: string, hostname: string | undefined, from = "All"): KubeObject => ({
  apiVersion: "gateway.networking.k8s.io/v1",
  kind: "Gateway",
  metadata: { name, namespace: "edge" },
  spec: {
    listeners: [
      {
        name: "https",
        port: 443,
        protocol: "HTTPS",
        ...(hostname === undefined ? {} : { hostname }),
        allowedRoutes: { namespaces: { from } },
      },
    ],
  },
})
const ingressClass = (name: string, controller: string): KubeObject => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "IngressClass",
  metadata: { name },
  spec: { controller },
})

/** A cluster that has these objects and no others. */
function cluster(objects: readonly KubeObject[]): Cluster {
  const of = (kind: string) => objects.filter((o) => o.kind === kind)
  return {
    serves: (_: string, kind: string) => Promise.resolve(kind.startsWith("HTTPRoute") || of(kind).length > 0),
    list: ({ kind }: { kind: string }) => Promise.resolve(of(kind)),
    read: ({ kind, name }: { kind: string; name: string }) =>
      Promise.resolve(of(kind).find((o) => o.metadata.name === name)),
  } as unknown as Cluster
}
const exposed = (objects: readonly KubeObject[], expose: NonNullable<EnvironmentInput["kubernetes"]>["expose"]) =>
  exposedOf({
    cluster: cluster(objects),
    namespace: "shop-uat",
    environment: environment("uat", { kubernetes: { ...(expose && { expose }) } }),
    service: "catalog",
  })

describe("how users reach a service, found out from the cluster", () => {
  it.each([
    ["no Gateway at all", [], "ports of the nodes"],
    ["one without host names: two services would want the same path", [gateway("a", undefined)], "ports of the nodes"],
    ["one that lets only its own namespace in", [gateway("a", "*.example.com", "Same")], "ports of the nodes"],
    ["two that would do", [gateway("a", "*.example.com"), gateway("b", "*.example.org")], "ports of the nodes"],
    ["one that would do", [gateway("a", "*.example.com")], "HTTPRoute of Gateway edge/a"],
  ])("auto, %s", async (_, objects, text) => {
    expect((await exposed(objects, { kind: "auto" })).text).toContain(text)
  })

  it("auto gives each service of each environment a name of its own", async () => {
    const found = await exposed([gateway("a", "*.example.com")], { kind: "auto" })
    expect(await found.urls()).toEqual({
      live: "https://catalog-uat.example.com",
      preview: "https://catalog-uat-preview.example.com",
    })
    expect(found).toMatchObject({ byReplicas: false, testers: true, from: ["edge"] })
  })

  it.each([
    ["ingress-nginx takes weights", "k8s.io/ingress-nginx", false],
    ["another controller does not: shares by replicas", "traefik.io/ingress-controller", true],
  ])("%s", async (_, controller, byReplicas) => {
    const expose = { kind: "ingress", className: "web", host: "{service}.{environment}.example.com" } as const
    const found = await exposed([ingressClass("web", controller)], expose)
    expect(found).toMatchObject({ byReplicas, values: { host: "catalog.uat.example.com", canary: !byReplicas } })
    expect(await found.urls()).toEqual({ live: "http://catalog.uat.example.com", preview: undefined })
  })

  it.each([
    ["is not there", [], undefined, /none of that name/],
    ["has no such listener", [gateway("public", "*.example.com")], "http", /no listener "http", but: https/],
  ])("a Gateway that is named and %s", async (_, objects, listener, reason) => {
    const expose = { kind: "gateway", gateway: "public", namespace: "edge", ...(listener && { listener }) } as const
    const failing = exposed(objects, expose)
    await expect(failing).rejects.toMatchObject({
      code: "K8S-GATEWAY",
      reason: expect.stringMatching(reason) as string,
    })
  })
})
