import { describe, expect, it } from "vitest"
import { z } from "zod"
import { taggedImages } from "../../../../../environments/kubernetes/dependencies/bring.js"
import { dependencyRights } from "../../../../../environments/kubernetes/dependencies/rights.js"
import { Dependencies } from "../../../../../environments/kubernetes/dependencies/settings.js"
import { descendants } from "../../../../../environments/kubernetes/dependencies/snapshot.js"
import { markedDependency } from "../../../../../environments/kubernetes/dependencies/marks.js"

const said = (value: unknown) => {
  const { error } = Dependencies.safeParse(value)
  return error === undefined ? "" : z.prettifyError(error)
}
const digest = `sha256:${"a".repeat(64)}`

describe("how a dependency is declared", () => {
  it.each([
    [
      "a chart of the project",
      { mysql: { kind: "chart", path: "deploy/mysql", values: ["deploy/mysql-test.yaml"] } },
      "",
    ],
    [
      "a chart of a registry",
      { mysql: { kind: "oci", chart: "harbor.example.com/charts/mysql", version: "14.0.3", digest } },
      "",
    ],
    [
      "an operator's kind",
      {
        cache: {
          kind: "manifests",
          path: "redis.yaml",
          pods: { app: "redis" },
          ready: [{ kind: "Redis", field: "status.state", is: "up" }],
        },
      },
      "",
    ],
    [
      "an operator's kinds, whose pods have no label in common",
      { queue: { kind: "manifests", path: "queue.yaml", pods: { app: ["broker", "name_service"] } } },
      "",
    ],
    [
      "a chart without its digest",
      { mysql: { kind: "oci", chart: "harbor.example.com/charts/mysql", version: "14" } },
      "digest",
    ],
    [
      "a chart with a scheme",
      { mysql: { kind: "oci", chart: "oci://harbor.example.com/charts/mysql", version: "1", digest } },
      "without a scheme",
    ],
    ["a name that is none", { My_SQL: { kind: "chart", path: "x" } }, "My_SQL"],
    [
      "a field that is no path",
      { a: { kind: "manifests", path: "x", ready: [{ kind: "R", field: "a..b", is: 1 }] } },
      "status.phase",
    ],
    ["something unknown", { a: { kind: "manifests", path: "x", wait: 3 } }, "wait"],
  ])("%s", (_what, value, message) => {
    if (message === "") expect(said(value)).toBe("")
    else expect(said(value)).toContain(message)
  })
})

describe("what an account needs for it", () => {
  const object = (apiVersion: string, kind: string) => ({ apiVersion, kind, metadata: { name: "x" } })
  it("the kinds of operators, in the plural, by their groups; nothing for what it may already", () => {
    const objects = [
      object("apps/v1", "StatefulSet"),
      object("databases.spotahome.com/v1", "RedisFailover"),
      object("rocketmq.apache.org/v1alpha1", "NameService"),
      object("rocketmq.apache.org/v1alpha1", "Broker"),
      object("example.com/v1", "Redis"),
      object("example.com/v1", "Proxy"),
    ]
    expect(dependencyRights(objects).map((r) => [r.apiGroups[0], r.resources])).toEqual([
      ["databases.spotahome.com", ["redisfailovers"]],
      ["rocketmq.apache.org", ["nameservices", "brokers"]],
      ["example.com", ["redises", "proxies"]],
    ])
  })
})

it("what an operator has made is found by its owners, through any number of them", () => {
  const object = (kind: string, uid: string, owner?: string) => ({
    ...{ apiVersion: "apps/v1", kind },
    metadata: { name: uid, uid, ...(owner && { ownerReferences: [{ kind: "X", name: "x", uid: owner }] }) },
  })
  const all = [object("Pod", "p1", "s1"), object("StatefulSet", "s1", "cr"), object("Pod", "p2", "s2")]
  expect(descendants(object("Redis", "cr"), all).map((o) => o.metadata.name)).toEqual(["s1", "p1"])
})

it("marks workloads' and Jobs' pods, too, and leaves the selectors alone", () => {
  const spec = {
    selector: { matchLabels: { app: "mysql" } },
    template: { metadata: { labels: { app: "mysql" } }, spec: {} },
  }
  const objects = ["StatefulSet", "Service"].map((kind) => ({
    ...{ apiVersion: kind === "Service" ? "v1" : "apps/v1", kind, metadata: { name: "mysql" }, spec },
  }))
  const owner = { project: "shop", environment: "test", name: "mysql" }
  const [set, service] = markedDependency(objects, owner, "0123") as unknown as [
    (typeof objects)[0],
    (typeof objects)[0],
  ]
  expect(set.spec.selector).toEqual(spec.selector)
  expect(set.spec.template.metadata.labels).toMatchObject({ app: "mysql", "gantry.dev/dependency": "mysql" })
  expect(service.spec).toEqual(spec)
})

it("tells which images are named by tags", () => {
  const image = (name: string) => ({
    apiVersion: "apps/v1",
    kind: "StatefulSet",
    metadata: { name: "x" },
    spec: { image: name },
  })
  expect(taggedImages([image("mysql:8.4"), image("mysql:8.4"), image(`mysql@${digest}`)])).toEqual(["mysql:8.4"])
  const broker = { ...image("a"), kind: "Broker", spec: { brokerImage: "broker:1", imagePullPolicy: "Always" } }
  expect(taggedImages([broker])).toEqual(["broker:1"])
})
