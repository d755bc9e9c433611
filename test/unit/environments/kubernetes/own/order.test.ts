import { describe, expect, it } from "vitest"
import { inOrder, leftBehind, nameOf, refOfName } from "../../../../../environments/kubernetes/own/order.js"

const object = (apiVersion: string, kind: string, name = "x") => ({ apiVersion, kind, metadata: { name } })

describe("the order in which objects are applied", () => {
  it("what pods need, what an operator brings, workloads, what leads to them", () => {
    const objects = [
      object("networking.k8s.io/v1", "Ingress"),
      object("apps/v1", "Deployment"),
      object("batch/v1", "Job"),
      object("v1", "Service"),
      object("cert-manager.io/v1", "Certificate"),
      object("v1", "ServiceAccount"),
      object("autoscaling/v2", "HorizontalPodAutoscaler"),
    ]
    expect(inOrder(objects).map((group) => group.map((o) => o.kind))).toEqual([
      ["Service", "ServiceAccount"],
      ["Certificate"],
      ["Deployment", "Job"],
      ["Ingress", "HorizontalPodAutoscaler"],
    ])
  })
})

describe("what a release does not have any more", () => {
  it.each([
    ["the same objects", ["v1 Service x"], [object("v1", "Service")], []],
    [
      "one that is gone, once",
      ["v1 Service x", "v1 Service y", "v1 Service y"],
      [object("v1", "Service")],
      ["v1 Service y"],
    ],
    ["the same object by another version of its API", ["autoscaling/v1 H x"], [object("autoscaling/v2", "H")], []],
    ["the same name in another group", ["a.io/v1 H x"], [object("b.io/v1", "H")], ["a.io/v1 H x"]],
    ["never a volume", ["v1 PersistentVolumeClaim data"], [], []],
  ])("%s", (_what, before, now, expected) => {
    expect(leftBehind(before, now)).toEqual(expected)
  })

  it("is found again by its name", () => {
    expect(refOfName(nameOf(object("apps/v1", "Deployment", "web")), "shop-test")).toEqual({
      ...{ apiVersion: "apps/v1", kind: "Deployment", name: "web" },
      namespace: "shop-test",
    })
    expect(refOfName("broken", "shop-test")).toBeUndefined()
  })
})
