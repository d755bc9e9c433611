import { describe, expect, it } from "vitest"
import { accountYaml, environmentObjects } from "../../../../environments/kubernetes/rbac.js"
import { rights } from "../../../../environments/kubernetes/rights.js"
import { parseObjects } from "../../../../environments/kubernetes/yaml.js"

const settings = {
  project: "shop",
  environment: "prod",
  profile: "prod",
  namespace: "shop-prod",
  prometheus: "prometheus",
}
const find = (kind: string) => environmentObjects(settings).find((o) => o.kind === kind)

describe("the account of an environment", () => {
  it("is YAML that says the same as the objects, with a reason before each of them and of its rules", () => {
    const text = accountYaml(settings)
    expect(parseObjects(text, "rbac")).toEqual(environmentObjects(settings))
    for (const document of text.split("---\n")) expect(document).toMatch(/^# \S/)
    for (const { why } of rights("shop-prod", "prometheus")) expect(text).toContain(`  # ${why}\n`)
    expect(text).toContain("kubectl create token gantry --namespace shop-prod")
  })

  it("reaches nothing beyond its namespace: no kind of the cluster but the namespace itself", () => {
    const objects = environmentObjects(settings)
    expect(objects.filter((o) => o.metadata.namespace === undefined).map((o) => o.kind)).toEqual(["Namespace"])
    expect(objects.filter((o) => o.metadata.namespace !== undefined && o.metadata.namespace !== "shop-prod")).toEqual(
      [],
    )
    expect(objects.map((o) => o.kind).filter((kind) => kind.startsWith("Cluster"))).toEqual([])
  })

  it("has no right with a star, lists no secrets, makes no pods, gives nobody a shell", () => {
    const all = rights("shop-prod", "prometheus")
    const flat = all.flatMap((r) => r.resources.flatMap((resource) => r.verbs.map((verb) => `${verb} ${resource}`)))
    expect(flat.filter((right) => right.includes("*"))).toEqual([])
    for (const never of [
      "list secrets",
      "watch secrets",
      "create pods",
      "create pods/exec",
      "create pods/portforward",
      "create serviceaccounts/token",
      "impersonate serviceaccounts",
      "bind roles",
      "escalate roles",
      "update resourcequotas",
      "patch resourcequotas",
      "delete namespaces",
    ])
      expect(flat).not.toContain(never)
  })

  it("enforces Pod Security's restricted profile and denies traffic both ways", () => {
    expect(find("Namespace")?.metadata.labels).toMatchObject({
      "pod-security.kubernetes.io/enforce": "restricted",
      "pod-security.kubernetes.io/audit": "restricted",
      "pod-security.kubernetes.io/warn": "restricted",
    })
    expect(find("NetworkPolicy")?.["spec"]).toEqual({ podSelector: {}, policyTypes: ["Ingress", "Egress"] })
  })

  it.each([
    ["dev", "16", "32Gi", "8"],
    ["test", "48", "96Gi", "16"],
    ["uat", "48", "96Gi", "16"],
    ["prod", "128", "256Gi", "32"],
    ["other", "48", "96Gi", "16"],
  ])("%s may ask for what its servers have (section 2.3)", (profile, cpu, memory, most) => {
    const objects = environmentObjects({ ...settings, profile })
    const quota = objects.find((o) => o.kind === "ResourceQuota") as unknown as {
      spec: { hard: Record<string, string> }
    }
    expect(quota.spec.hard).toMatchObject({ "requests.cpu": cpu, "requests.memory": memory, "limits.memory": memory })
    const range = objects.find((o) => o.kind === "LimitRange") as unknown as {
      spec: { limits: { max: { cpu: string } }[] }
    }
    expect(range.spec.limits[0]?.max.cpu).toBe(most)
  })

  it.each([
    ["dev", "24", "48Gi", "8", "16Gi"],
    ["test", "96", "192Gi", "16", "32Gi"],
    ["prod", "304", "800Gi", "32", "128Gi"],
  ])(
    "%s with dependencies may have its database, cache and queue servers, too",
    (profile, cpu, memory, most, largest) => {
      const cache = { apiVersion: "databases.example.com/v1", kind: "Redis", metadata: { name: "cache" } }
      const objects = environmentObjects({ ...settings, profile, dependencies: [cache] })
      const [quota] = objects.filter((o) => o.kind === "ResourceQuota")
      expect(quota?.["spec"]).toMatchObject({ hard: { "requests.cpu": cpu, "requests.memory": memory } })
      const [range] = objects.filter((o) => o.kind === "LimitRange")
      expect(range?.["spec"]).toMatchObject({ limits: [{ max: { cpu: most, memory: largest } }] })
      const [role] = objects.filter((o) => o.kind === "Role")
      expect(role?.["rules"]).toContainEqual({
        apiGroups: ["databases.example.com"],
        resources: ["redises"],
        verbs: ["get", "list", "watch", "create", "patch", "delete"],
      })
    },
  )
})
