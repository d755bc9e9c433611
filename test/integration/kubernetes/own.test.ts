import { join } from "node:path"
import { beforeAll, describe, expect, it } from "vitest"
import { renderOwn } from "../../../environments/kubernetes/own/render.js"
import type { OwnManifests } from "../../../environments/kubernetes/own/settings.js"
import { digest } from "../../fakes/chart-values.js"
import { at, folderWith, makeTools, one, tools } from "./rig.js"

const image = { repository: "127.0.0.1:5000/shop/order", digest: digest("a") }
const pinned = `${image.repository}@${image.digest}`
const options = { namespace: "shop-test" }

const deployment = (reference: string, replicas = "2") => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: order
  labels: { team: orders }
spec:
  replicas: ${replicas}
  selector: { matchLabels: { app: order } }
  template:
    metadata: { labels: { app: order } }
    spec:
      containers:
        - { name: order, image: "${reference}" }
        - { name: proxy, image: "envoy.example/envoy:1" }
`

const chart = {
  "service/chart/Chart.yaml": "apiVersion: v2\nname: order\nversion: 1.0.0\n",
  "service/chart/values.yaml": "replicas: 1\nimage: { repository: harbor.example/x, tag: v1 }\n",
  "service/chart/templates/deployment.yaml": deployment(
    "{{ .Values.image.repository }}:{{ .Values.image.tag }}",
    "{{ .Values.replicas }}",
  ),
  "service/chart/templates/test.yaml":
    'apiVersion: v1\nkind: Pod\nmetadata: { name: t, annotations: { "helm.sh/hook": test } }\nspec: { containers: [] }\n',
  "service/values-test.yaml": "replicas: 4\nimage: { repository: shop/order }\n",
}

async function render(files: Readonly<Record<string, string>>, manifests: OwnManifests) {
  const root = await folderWith(files)
  return renderOwn(tools, { service: "order", image, manifests, root, folder: join(root, "service") }, options)
}

beforeAll(makeTools)

describe("a service's own objects", () => {
  it("its chart, with its values file: the digest is set, its tests are left out", async () => {
    const objects = await render(chart, { kind: "chart", path: "chart", values: ["values-test.yaml"] })
    expect(objects).toHaveLength(1)
    const found = one(objects, "Deployment", "order")
    expect(found.metadata).toEqual({ name: "order", namespace: "shop-test", labels: { team: "orders" } })
    expect(at(found, "spec.replicas")).toBe(4)
    expect(at(found, "spec.template.spec.containers")).toEqual([
      { name: "order", image: pinned },
      { name: "proxy", image: "envoy.example/envoy:1" },
    ])
  })

  it("plain manifests of a folder, in the order of their files", async () => {
    const files = {
      "service/k8s/b.yaml": deployment("order:latest"),
      "service/k8s/a.json": '{"apiVersion":"v1","kind":"Service","metadata":{"name":"order"}}',
      "service/k8s/README.md": "not an object",
      "service/k8s/deeper/c.yaml": "not: read",
    }
    const objects = await render(files, { kind: "manifests", path: "k8s" })
    expect(objects.map((o) => o.kind)).toEqual(["Service", "Deployment"])
    expect(at(objects[1], "spec.template.spec.containers.0.image")).toBe(pinned)
  })

  it("a Kustomize overlay over a base that lies beside it", async () => {
    const files = {
      "service/base/kustomization.yaml": "resources: [deployment.yaml]\n",
      "service/base/deployment.yaml": deployment("shop/order:dev"),
      "service/overlays/test/kustomization.yaml":
        "resources: [../../base]\nnamePrefix: own-\nreplicas: [{ name: order, count: 5 }]\n",
    }
    const objects = await render(files, { kind: "kustomize", path: "overlays/test" })
    const found = one(objects, "Deployment", "own-order")
    expect(at(found, "spec.replicas")).toBe(5)
    expect(at(found, "spec.template.spec.containers.0.image")).toBe(pinned)
  })

  it.each<[string, Readonly<Record<string, string>>, OwnManifests, string, RegExp]>([
    [
      "an image that is nobody's",
      { "service/a.yaml": deployment("other.example/shop/order:1") },
      { kind: "manifests", path: "a.yaml" },
      "OWN-NO-IMAGE",
      /127\.0\.0\.1:5000\/shop\/order/,
    ],
    [
      "another namespace",
      { "service/a.yaml": deployment("order").replace("name: order\n", "name: order\n  namespace: shop-prod\n") },
      { kind: "manifests", path: "a.yaml" },
      "OWN-BEYOND-NAMESPACE",
      /Deployment order is in the namespace shop-prod/,
    ],
    ["a path that is not there", {}, { kind: "manifests", path: "k8s" }, "OWN-PATH", /service\/k8s/],
    ["a path out of the project", {}, { kind: "manifests", path: "../../etc" }, "OWN-PATH", /etc/],
    [
      "YAML that is none",
      { "service/a.yaml": "a: [" },
      { kind: "manifests", path: "a.yaml" },
      "KUBERNETES-YAML",
      /at line 1/,
    ],
    [
      "a chart that does not render",
      { ...chart, "service/chart/templates/x.yaml": '{{ fail "no such thing" }}' },
      { kind: "chart", path: "chart", values: [] },
      "CHART-RENDER",
      /no such thing/,
    ],
    [
      "a Kustomize folder that is none",
      { "service/k/a.yaml": "a: 1" },
      { kind: "kustomize", path: "k" },
      "OWN-KUSTOMIZE",
      /kustomization/,
    ],
  ])("refuses %s", async (_name, files, manifests, code, reason) => {
    await expect(render({ "service/.keep": "", ...files }, manifests)).rejects.toMatchObject({
      code,
      kind: "usage",
      reason: expect.stringMatching(reason) as string,
    })
  })
})
