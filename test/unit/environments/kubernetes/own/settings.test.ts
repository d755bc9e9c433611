import { describe, expect, it } from "vitest"
import { z } from "zod"
import { environment, type EnvironmentInput } from "../../../../../environments/environment.js"
import { tuningOf } from "../../../../../environments/kubernetes/settings.js"

const own = { kind: "manifests", path: "k8s" } as const
const issues = (input: EnvironmentInput) => {
  try {
    environment("test", input)
    return []
  } catch (error) {
    if (!(error instanceof z.ZodError)) throw error
    return error.issues.map((i) => i.path.join("."))
  }
}

describe("a service that brings its own objects", () => {
  it.each<[string, EnvironmentInput, string[]]>([
    ["alone", { target: "kubernetes", kubernetes: { services: { order: { own } } } }, []],
    [
      "with fields of Gantry's chart",
      { kubernetes: { services: { order: { own, secrets: ["y"], serviceAccount: "x" } } } },
      ["kubernetes.services.order.secrets", "kubernetes.services.order.serviceAccount"],
    ],
    [
      "by canary",
      { target: "kubernetes", strategy: { kind: "canary" }, kubernetes: { services: { order: { own } } } },
      ["kubernetes.services.order.own"],
    ],
    [
      "by canary on the other target",
      { strategy: { kind: "canary" }, kubernetes: { services: { order: { own } } } },
      [],
    ],
  ])("%s", (_what, input, expected) => {
    expect(issues(input)).toEqual(expected)
  })

  it("has nothing of it in what the chart is told", () => {
    const { kubernetes } = environment("test", {
      kubernetes: { defaults: { serviceAccount: "x" }, services: { order: { own } } },
    })
    expect(tuningOf(kubernetes, "order")).toEqual({ serviceAccount: "x" })
  })
})
