import { describe, expect, it } from "vitest"
import { retry } from "../../../core/decorators.js"
import { pipeline } from "../../../core/pipeline.js"
import { step, type AnyStep } from "../../../core/step.js"
import { thrown } from "./rig.js"

const run = () => Promise.resolve()
const plain = (id: string, ...after: readonly AnyStep[]) => step(id, { after, run })
const ids = (...targets: readonly AnyStep[]) => pipeline("p", { targets }).steps.map((s) => s.id)

describe("pipeline", () => {
  const a = plain("a")
  const b = plain("b", a)
  const c = plain("c", a)

  it.each<[string, readonly AnyStep[], readonly string[]]>([
    ["one step", [a], ["a"]],
    ["a chain", [plain("x", b)], ["a", "b", "x"]],
    ["a diamond, each step once", [plain("d", b, c)], ["a", "b", "c", "d"]],
    ["several targets that share steps", [b, c, a], ["a", "b", "c"]],
    ["nothing", [], []],
  ])("is everything reachable, each behind what it needs: %s", (_, targets, sorted) => {
    expect(ids(...targets)).toEqual(sorted)
  })

  it("follows data, lists of data and order alike", () => {
    const target = step("t", { needs: { one: a, many: [b, plain("x")] }, after: [c], run })
    expect(ids(target)).toEqual(["a", "b", "x", "c", "t"])
  })

  it("takes a chain of 20,000 steps", () => {
    let last = plain("s-0")
    for (let i = 1; i < 20_000; i++) last = plain(`s-${i}`, last)
    expect(ids(last)).toHaveLength(20_000)
  })

  it("is frozen", () => {
    expect(Object.isFrozen(pipeline("p", { targets: [a] }))).toBe(true)
    expect(Object.isFrozen(pipeline("p", { targets: [a] }).steps)).toBe(true)
  })

  it("refuses two steps of one id, and says by which ways both are reached", async () => {
    const twin = plain("lint")
    const left = plain("left", plain("middle", plain("lint")))
    const right = plain("right", twin)
    expect(await thrown(() => pipeline("p", { targets: [plain("end", left, right)] }))).toMatchObject({
      code: "PIPELINE-DUPLICATE",
      kind: "usage",
      message: 'Two different steps are called "lint"',
      reason: "One is reached by end → left → middle → lint, the other by end → right → lint.",
    })
  })

  it("refuses a step beside its decorated self", async () => {
    const tried = retry(a, { attempts: 2 })
    expect(await thrown(() => pipeline("p", { targets: [tried, b] }))).toMatchObject({ code: "PIPELINE-DUPLICATE" })
  })

  it.each([1, 2, 5])("refuses a circle of %i, with the whole path", async (length) => {
    // step() cannot make one, its needs exist before it; a hand-made value can.
    const ring = Array.from({ length }, (_, i) => ({ ...plain(`r-${i}`), after: [] as AnyStep[] }))
    ring.forEach((s, i) => s.after.push(ring[(i + 1) % length] as AnyStep))
    const path = [...ring.map((s) => s.id), "r-0"].join(" → ")
    expect(await thrown(() => pipeline("p", { targets: [plain("entry", ring[0] as AnyStep)] }))).toMatchObject({
      code: "PIPELINE-CYCLE",
      kind: "usage",
      message: `Steps need each other in a circle: ${path}`,
    })
  })
})
