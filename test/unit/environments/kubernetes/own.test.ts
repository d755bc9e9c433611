import { describe, expect, it } from "vitest"
import { withinNamespace } from "../../../../environments/kubernetes/own/bounds.js"
import { isImageOf, setDigests } from "../../../../environments/kubernetes/own/images.js"
import type { KubernetesObject } from "../../../../environments/kubernetes/object.js"
import { digest } from "../../../fakes/chart-values.js"

const image = { repository: "127.0.0.1:5000/shop/order", digest: digest("a") }
const object = (kind: string, more: object = {}, apiVersion = "v1"): KubernetesObject => ({
  apiVersion,
  kind,
  metadata: { name: "x", ...more },
})

describe("whose image it is", () => {
  it.each([
    ["127.0.0.1:5000/shop/order", true],
    ["127.0.0.1:5000/shop/order:1.2", true],
    [`127.0.0.1:5000/shop/order:1.2@${digest("b")}`, true],
    ["shop/order:latest", true],
    ["order", true],
    ["border", false],
    ["hop/order", false],
    ["other.example/shop/order:1", false],
    ["localhost/order", false],
    ["127.0.0.1:5000/shop/order-sidecar:1", false],
    ["127.0.0.1:5000/shop/orders", false],
  ])("%s: %s", (reference, expected) => {
    expect(isImageOf(reference, image)).toBe(expected)
  })

  it("digests are set in every list of containers, and nothing else changes", () => {
    const before = object("Rollout", {}, "argoproj.io/v1alpha1")
    const pod = {
      initContainers: [{ name: "i", image: "order:1", env: [{ name: "image", value: "order:1" }] }],
      containers: [
        { name: "a", image: "shop/order:1" },
        { name: "b", image: "docker.io/library/nginx:1" },
      ],
    }
    const { object: after, changed } = setDigests(
      { ...before, spec: { image: "order:1", template: { spec: pod } } },
      image,
    )
    expect(changed).toBe(2)
    const set = `${image.repository}@${image.digest}`
    expect(after).toEqual({
      ...before,
      spec: {
        image: "order:1",
        template: {
          spec: {
            initContainers: [{ ...pod.initContainers[0], image: set }],
            containers: [{ name: "a", image: set }, pod.containers[1]],
          },
        },
      },
    })
  })
})

describe("the bounds of a namespace", () => {
  it("gives the namespace to what has none", () => {
    const [a, b] = withinNamespace(
      [object("Service"), object("Service", { namespace: "shop-test" })],
      "shop-test",
      "order",
    )
    expect(a?.metadata.namespace).toBe("shop-test")
    expect(b?.metadata.namespace).toBe("shop-test")
  })

  it("refuses kinds of the cluster and other namespaces, all in one message", () => {
    const objects = [
      object("Service", { namespace: "kube-system" }),
      object("Namespace"),
      object("ClusterRoleBinding", {}, "rbac.authorization.k8s.io/v1"),
      object("CustomResourceDefinition", {}, "apiextensions.k8s.io/v1"),
    ]
    expect(() => withinNamespace(objects, "shop-test", "order")).toThrow(
      expect.objectContaining({
        code: "OWN-BEYOND-NAMESPACE",
        reason:
          "Service x is in the namespace kube-system; Namespace x belongs to the whole cluster; ClusterRoleBinding x belongs to the whole cluster; CustomResourceDefinition x belongs to the whole cluster.",
      }),
    )
  })

  it("a kind of the same name in somebody's own group is theirs", () => {
    expect(withinNamespace([object("Node", {}, "example.com/v1")], "shop-test", "order")).toHaveLength(1)
  })

  it("refuses hooks, which nobody would run", () => {
    const hook = object("Job", { annotations: { "helm.sh/hook": "pre-upgrade" } }, "batch/v1")
    expect(() => withinNamespace([hook], "shop-test", "order")).toThrow(
      expect.objectContaining({ code: "OWN-HOOK", reason: "Job x (pre-upgrade)." }),
    )
  })
})
