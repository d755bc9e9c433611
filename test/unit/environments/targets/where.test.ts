import { expect, it } from "vitest"
import { environment, type EnvironmentInput } from "../../../../environments/environment.js"
import { deployedBy, placeEvidence, placeKey, placeText } from "../../../../environments/targets/where.js"

const pods: EnvironmentInput = {
  target: "kubernetes",
  kubernetes: { context: "staging", kubeconfig: "/home/lin/config" },
}

it.each([
  ["Docker", {}, "test", undefined],
  ["Docker, whatever the cluster would be", { ...pods, target: "docker" as const }, "test", undefined],
  ["a context", pods, "test@staging/shop-test", "namespace shop-test of context staging"],
  [
    "the current context, another namespace",
    { target: "kubernetes" as const, kubernetes: { namespace: "shop" } },
    "test@/shop",
    "namespace shop of the current context",
  ],
])("the place of an environment: %s", (_, input: EnvironmentInput, key, text) => {
  const made = environment("test", input)
  expect(placeKey("shop", made)).toBe(key)
  expect(placeText("shop", made)).toBe(text)
})

it("people approve of cluster, namespace and how it runs there, and of no path on one machine", () => {
  const evidence = placeEvidence("shop", environment("prod", pods))
  expect(evidence).toEqual({
    kubernetes: {
      apiServers: [],
      context: "staging",
      namespace: "shop-prod",
      expose: { kind: "auto" },
      defaults: {},
      services: {},
      dependencies: {},
    },
  })
  expect(placeEvidence("shop", environment("prod", { ...pods, target: "docker" }))).toEqual({})
})

it("a cluster that is not used decides nothing", () => {
  const docker = { ...pods, target: "docker" as const }
  expect(deployedBy(environment("test", docker))).toEqual(deployedBy(environment("test", {})))
  expect(deployedBy(environment("test", pods))).toMatchObject({ kubernetes: { context: "staging" } })
  expect(deployedBy(environment("prod", { approvals: {} }))).not.toHaveProperty("approvals")
})
