import { describe, expect, it } from "vitest"
import { z } from "zod"
import { branch } from "../../../core/condition.js"
import { neededSteps, predecessors, step } from "../../../core/step.js"

const run = () => Promise.resolve()

describe("step", () => {
  it("is a frozen value with empty edges where none are given", () => {
    const s = step("a", { run })
    expect(s).toMatchObject({ id: "a", kind: "pure", needs: {}, after: [], secrets: [], when: undefined })
    for (const part of [s, s.needs, s.after, s.secrets, s.definition]) expect(Object.isFrozen(part)).toBe(true)
  })

  it("does not change with the definition it was made of", () => {
    const after = [step("a", { run })]
    const definition = { after, version: 1, run }
    const s = step("b", definition)
    definition.version = 2
    after.push(step("c", { run }))
    expect(s.definition.version).toBe(1)
    expect(s.after.map((p) => p.id)).toEqual(["a"])
  })

  it("has a kind", () => {
    const effect = { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" } as const
    expect(step("a", { effect, run }).kind).toBe("effect")
    expect(step("a", { gate: true, run }).kind).toBe("gate")
    expect(step("a", { gate: true, effect, run }).kind).toBe("gate")
  })

  it("keeps its condition as data", () => {
    expect(step("a", { when: branch("main"), run }).when).toEqual({ kind: "branch", names: ["main"] })
  })
})

describe("edges", () => {
  const a = step("a", { output: z.string(), run: () => Promise.resolve("") })
  const b = step("b", { run })
  const s = step("s", { needs: { one: a, many: [b, a] }, after: [b, a], run })

  it("neededSteps are those of the needs", () => {
    expect(neededSteps(s).map((p) => p.id)).toEqual(["a", "b", "a"])
  })

  it("predecessors come once each, needs first", () => {
    expect(predecessors(s).map((p) => p.id)).toEqual(["a", "b"])
  })
})
