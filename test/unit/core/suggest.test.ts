import { describe, expect, it } from "vitest"
import { nearest } from "../../../core/suggest.js"

const steps = [
  "checkout",
  "catalog.unit-tests",
  "catalog.integration-tests",
  "catalog.image",
  "order.image",
  "gate-prod",
]

describe("nearest", () => {
  it.each<[string, string | undefined]>([
    ["chekout", "checkout"],
    ["CHECKOUT", "checkout"],
    ["unit-test", "catalog.unit-tests"],
    ["catalog.unit-tset", "catalog.unit-tests"],
    ["imgae", "catalog.image"],
    ["gate-prdo", "gate-prod"],
    ["deploy-everything", undefined],
    ["", undefined],
  ])("%s → %s", (wanted, found) => {
    expect(nearest(wanted, steps)).toBe(found)
  })

  it("finds nothing among nothing", () => {
    expect(nearest("x", [])).toBeUndefined()
  })
})
