import { describe, expect, it } from "vitest"
import { dependencyPolicies } from "../../../../../environments/kubernetes/dependencies/policies.js"

const set = { apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "mysql" }, spec: { template: {} } }
const custom = { apiVersion: "databases.example.com/v1", kind: "Redis", metadata: { name: "cache" } }
const open = { ports: [], pods: {}, from: [], egress: [] }
const question = {
  ...{ project: "shop", environment: "test", namespace: "shop-test", name: "mysql" },
  ...{ dependency: open, objects: [set], own: [] },
}
const specs = (more: object) =>
  dependencyPolicies({ ...question, ...more }).map((p) => ({ name: p.metadata.name, spec: p["spec"] }))
const names = expect.objectContaining({
  ports: [
    { protocol: "UDP", port: 53 },
    { protocol: "TCP", port: 53 },
  ],
}) as object
const ours = { podSelector: { matchLabels: { "gantry.dev/dependency": "mysql" } } }

describe("who reaches a dependency", () => {
  it("every service of the project, its migrations, and its own members; on both ends", () => {
    const users = {
      matchLabels: { "app.kubernetes.io/part-of": "shop" },
      matchExpressions: [{ key: "gantry.dev/part", operator: "In", values: ["instance", "migration"] }],
    }
    expect(specs({ dependency: { ...open, ports: [3306] } })).toEqual([
      {
        name: "gantry-dependency-mysql",
        spec: {
          ...ours,
          policyTypes: ["Ingress", "Egress"],
          ingress: [{ from: [ours] }, { from: [{ podSelector: users }], ports: [{ protocol: "TCP", port: 3306 }] }],
          egress: [{ to: [ours] }, names],
        },
      },
      {
        name: "gantry-uses-mysql",
        spec: {
          podSelector: users,
          policyTypes: ["Egress"],
          egress: [{ to: [ours], ports: [{ protocol: "TCP", port: 3306 }] }, names],
        },
      },
    ])
  })

  it("only those that are named, those with objects of their own by their mark", () => {
    const dependency = { ...open, services: ["catalog", "search"] }
    const [of, ...uses] = specs({ dependency, own: ["search"] }) as { spec: { podSelector: unknown } }[]
    expect(uses.map(({ spec }) => spec.podSelector)).toEqual([
      {
        matchExpressions: [{ key: "app.kubernetes.io/name", operator: "In", values: ["catalog", "catalog-migration"] }],
      },
      { matchExpressions: [{ key: "gantry.dev/service", operator: "In", values: ["search"] }] },
    ])
    expect(JSON.stringify(of)).toContain("catalog-migration")
  })

  it("nobody where nobody is named", () => {
    expect(specs({ dependency: { ...open, services: [] } })).toEqual([
      {
        name: "gantry-dependency-mysql",
        spec: {
          ...ours,
          policyTypes: ["Ingress", "Egress"],
          ingress: [{ from: [ours] }],
          egress: [{ to: [ours] }, names],
        },
      },
    ])
  })

  it("namespaces and ways out that it names", () => {
    const egress = [{ ports: [{ protocol: "TCP", port: 443 }] }]
    const [first] = specs({ dependency: { ...open, services: [], from: ["redis-operator"], egress } })
    expect(first?.spec).toMatchObject({
      ingress: [
        { from: [ours] },
        { from: [{ namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": "redis-operator" } } }] },
      ],
      egress: [{ to: [ours] }, names, ...egress],
    })
  })

  it("by the labels of an operator, which have to be known", () => {
    const pods = { app: "redis" }
    expect(specs({ objects: [custom], dependency: { ...open, pods } })[0]?.spec).toMatchObject({
      podSelector: { matchLabels: pods },
    })
    const any = { instance: "shop", app: ["broker", "name_service"] }
    expect(specs({ objects: [custom], dependency: { ...open, pods: any } })[0]?.spec).toMatchObject({
      podSelector: {
        matchLabels: { instance: "shop" },
        matchExpressions: [{ key: "app", operator: "In", values: ["broker", "name_service"] }],
      },
    })
    expect(() => specs({ objects: [custom] })).toThrow(expect.objectContaining({ code: "DEPENDENCY-PODS" }) as Error)
  })
})
