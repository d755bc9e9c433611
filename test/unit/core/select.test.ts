import { describe, expect, it } from "vitest"
import type { Selection } from "../../../core/events.js"
import { pipeline } from "../../../core/pipeline.js"
import { findSteps, selectSteps } from "../../../core/select.js"
import { step } from "../../../core/step.js"
import { thrown } from "./rig.js"

const run = () => Promise.resolve()
const effect = { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" } as const

const checkout = step("checkout", { run })
const review = step("review", { needs: { checkout }, run })
const way = (service: string) => {
  const image = step(`${service}.image`, { needs: { checkout }, after: [review], run })
  const scan = step(`${service}.scan`, { needs: { image }, run })
  const push = step(`${service}.push`, { needs: { image }, after: [scan], effect, run })
  const deploy = step(`${service}.deploy-test`, { needs: { push }, effect, run })
  return { deploy, image }
}
const catalog = way("catalog")
const order = way("order")
const gate = step("gate", { gate: true, after: [catalog.deploy, order.deploy], run })
const prod = step("catalog.prod", { needs: { image: catalog.image }, after: [gate], effect, run })
const delivery = pipeline("delivery", { targets: [prod] })
const all = delivery.steps.map((s) => s.id)

describe("selectSteps", () => {
  it.each<[Selection, readonly string[]]>([
    [{}, all],
    [{ until: "catalog.scan" }, ["checkout", "review", "catalog.image", "catalog.scan"]],
    [{ until: "scan" }, ["checkout", "review", "catalog.image", "catalog.scan", "order.image", "order.scan"]],
    [{ until: "catalog.prod" }, all],
    [{ only: "catalog.scan" }, ["checkout", "catalog.image", "catalog.scan"]],
    [{ only: "catalog.image" }, ["checkout", "catalog.image"]],
    [{ only: "catalog.push" }, ["checkout", "catalog.image", "catalog.push"]],
    [{ only: "checkout" }, ["checkout"]],
  ])("%j", (selection, ids) => {
    expect(selectSteps(delivery, selection).map((s) => s.id)).toEqual(ids)
  })

  it("does not run alone what needs the output of an effect", async () => {
    expect(await thrown(() => selectSteps(delivery, { only: "catalog.deploy-test" }))).toMatchObject({
      code: "SELECT-EFFECT",
      kind: "usage",
      message: expect.stringContaining("catalog.push") as string,
      hint: "Run everything up to it: --until catalog.deploy-test",
    })
  })

  it("does not walk around a gate", async () => {
    expect(await thrown(() => selectSteps(delivery, { only: "catalog.prod" }))).toMatchObject({
      code: "SELECT-GATE",
      message: "catalog.prod cannot run alone: gate stands before it, and a gate is not walked around",
    })
  })

  it.each([
    ["catalog.imge", 'did you mean "catalog.image"?'],
    ["scna", 'did you mean "catalog.scan"?'],
    ["something-else-entirely", 'has no step "something-else-entirely"'],
  ])("says that there is no %s", async (name, part) => {
    for (const selection of [{ until: name }, { only: name }]) {
      expect(await thrown(() => selectSteps(delivery, selection))).toMatchObject({
        code: "STEP-UNKNOWN",
        message: expect.stringContaining(part) as string,
        hint: expect.stringContaining("gantry plan delivery") as string,
      })
    }
  })
})

describe("findSteps", () => {
  it("takes an id, or its end after a dot", () => {
    expect(findSteps(delivery, "image").map((s) => s.id)).toEqual(["catalog.image", "order.image"])
    expect(findSteps(delivery, "order.image").map((s) => s.id)).toEqual(["order.image"])
    expect(() => findSteps(delivery, "mage")).toThrow()
  })
})
