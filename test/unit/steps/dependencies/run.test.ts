import { expect, it } from "vitest"
import { environment } from "../../../../environments/index.js"
import { bringDependencies, declaresDependencies } from "../../../../environments/targets/dependencies.js"

const dependencies = { mysql: { kind: "chart" as const, path: "deploy/mysql" } }

it("are those of a cluster alone: on another target there is nothing to bring, and nothing is asked", async () => {
  const on = (target: "docker" | "kubernetes") => environment("test", { target, kubernetes: { dependencies } })
  const order = { project: "shop", root: "/nowhere", commit: "c0ffee", environment: on("docker") }
  expect(await bringDependencies(order as never)).toBeUndefined()
  expect([on("docker"), on("kubernetes")].map(declaresDependencies)).toEqual([true, true])
  expect(declaresDependencies(environment("test"))).toBe(false)
})
