import { describe, expect, it } from "vitest"
import type { KubeObject } from "../../../../clients/kubernetes/index.js"
import { fault } from "../../../../core/errors.js"
import { driftBetween, objectDrift } from "../../../../environments/kubernetes/drift-object.js"
import { differences } from "../../../../environments/kubernetes/fields.js"

const web = { name: "web", image: "r/web@sha256:1", env: [{ name: "VERSION", value: "v1" }] }
const container = 'f:spec.f:template.f:spec.f:containers.k:{"name":"web"}'

/** "f:spec.f:replicas" → { "f:spec": { "f:replicas": {} } } */
function fields(...paths: string[]): object {
  const tree: Record<string, unknown> = {}
  for (const path of paths) {
    let at = tree
    for (const step of path.split(/\.(?=[fkvi.]:|\.$)/)) at = (at[step] ??= {}) as Record<string, unknown>
  }
  return tree
}
const by = (manager: string, ...paths: string[]) => ({ manager, operation: "Update", fieldsV1: fields(...paths) })

const ours = {
  manager: "gantry",
  operation: "Apply",
  fieldsV1: fields("f:spec.f:replicas", `${container}.f:name`, `${container}.f:image`),
}

function deployment(containers: readonly object[], replicas: number, ...managed: object[]): KubeObject {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web-blue", managedFields: [ours, ...managed] },
    spec: { replicas, template: { spec: { containers } } },
  }
}
const asMade = deployment([web], 3)
const lines = (found: KubeObject) =>
  driftBetween(found, differences(asMade, found)).map(
    (d) => `${d.what}: ${d.field}: ${d.expected} → ${d.found}${d.by === undefined ? "" : `, set by ${d.by}`}`,
  )

describe("drift of an object names field, values and who changed it", () => {
  it.each([
    ["nothing", asMade, []],
    [
      "kubectl scale",
      deployment([web], 5, { ...by("kubectl", "f:spec.f:replicas"), subresource: "scale" }),
      ["Deployment web-blue: spec.replicas: 3 → 5, set by kubectl (scale)"],
    ],
    [
      "kubectl set image",
      deployment([{ ...web, image: "r/web@sha256:2" }], 3, by("kubectl-set", `${container}.f:image`)),
      [
        "Deployment web-blue: spec.template.spec.containers[web].image: r/web@sha256:1 → r/web@sha256:2, set by kubectl-set",
      ],
    ],
    [
      "a field that nobody claims any more",
      deployment([{ name: "web", image: web.image }], 3),
      ['Deployment web-blue: spec.template.spec.containers[web].env: [{"name":"VERSION","value":"v1"}] → none'],
    ],
  ])("%s", (_, found, expected) => {
    expect(lines(found)).toEqual(expected)
  })

  const added = { ...web, env: [...web.env, { name: "EXTRA", value: "1" }] }
  const entry = `${container}.f:env.k:{"name":"EXTRA"}`
  it.each([
    ["a variable that somebody added", by("kubectl-edit", `${entry}..`, `${entry}.f:name`, `${entry}.f:value`), 1],
    ["the same, written by a controller", by("kube-controller-manager", `${entry}.f:value`), 0],
    ["a status", { ...by("kubectl", "f:spec.f:replicas"), subresource: "status" }, 0],
    ["a restart", by("kubectl", "f:spec.f:template.f:metadata.f:annotations.f:kubectl.kubernetes.io/restartedAt"), 0],
    ["what Gantry has set, too", by("kubectl", `${container}.f:image`), 0],
    ["a label beside ours", by("kubectl-label", "f:metadata.f:labels.f:team"), 0],
  ])("a dry run does not see what others added; who set what does: %s", (_, managed, count) => {
    // As the cluster answers a forced dry run: additions of others stay.
    const found = deployment([added], 3, managed)
    const told = driftBetween(found, [])
    expect(told).toHaveLength(count)
    if (count === 1) {
      expect(told[0]).toMatchObject({
        field: "spec.template.spec.containers[web].env[EXTRA]",
        expected: "none",
        found: '{"name":"EXTRA","value":"1"}',
        by: "kubectl-edit",
      })
    }
  })
})

it("what an operator fills in is no drift; what it makes of our own fields is", () => {
  const status = { ...by("some-operator", "f:status.f:ready"), subresource: "status" }
  const filled = by("some-operator", "f:spec.f:paused", "f:spec.f:replicas")
  const found = deployment([web], 5, filled, status)
  const spec = { ...(found["spec"] as object), paused: false }
  expect(lines({ ...found, spec })).toContain("Deployment web-blue: spec.replicas: 3 → 5, set by some-operator")
  expect(driftBetween({ ...found, spec }, [])).toEqual([])
})

describe("an object that is asked about", () => {
  const cluster = (found: KubeObject | undefined, answer: () => KubeObject) => ({
    read: () => Promise.resolve(found as never),
    apply: () => Promise.resolve().then(answer) as never,
  })

  it("is missing, or on its way out", async () => {
    expect(
      await objectDrift(
        cluster(undefined, () => asMade),
        asMade,
      ),
    ).toEqual([{ what: "Deployment web-blue", field: "object", expected: "there", found: "none" }])
    const going = { ...asMade, metadata: { ...asMade.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }
    expect(
      await objectDrift(
        cluster(going, () => asMade),
        asMade,
      ),
    ).toMatchObject([{ found: "being deleted since 2026-01-01T00:00:00Z" }])
  })

  it("cannot be brought back by an apply: then it is told field by field, or in the cluster's words", async () => {
    const refuse = () => {
      throw fault({ code: "K8S-INVALID", kind: "failed", message: "no", reason: "field is immutable" })
    }
    expect(await objectDrift(cluster(deployment([web], 4), refuse), asMade)).toMatchObject([
      { field: "spec.replicas", expected: "3", found: "4" },
    ])
    expect(await objectDrift(cluster(asMade, refuse), asMade)).toMatchObject([
      { field: "apply", expected: "accepted", found: "field is immutable" },
    ])
    const words = `failed calling webhook "w.example.com": ${"no answer ".repeat(20)}`
    // The cluster keeps no zero: that it is not there is no difference.
    const silent = () => {
      throw fault({ code: "K8S-WEBHOOK", kind: "errored", message: "no", reason: words })
    }
    const wanted = { ...asMade, spec: { ...(asMade["spec"] as object), minReadySeconds: 0 } }
    expect(await objectDrift(cluster(asMade, silent), wanted)).toMatchObject([
      { field: "apply", expected: "accepted", found: words },
    ])
  })

  it("is not guessed about when the cluster does not answer", async () => {
    const silent = () => {
      throw fault({ code: "K8S-UNREACHABLE", kind: "errored", message: "no" })
    }
    await expect(objectDrift(cluster(asMade, silent), asMade)).rejects.toMatchObject({ code: "K8S-UNREACHABLE" })
  })
})
