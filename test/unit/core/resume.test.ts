import { describe, expect, it } from "vitest"
import { nodeOf } from "../../../core/plan.js"
import type { RunRecord } from "../../../core/record.js"
import { applyEvent, emptyState } from "../../../core/fold.js"
import { checkSamePipeline } from "../../../core/resume.js"
import { step, type AnyStep } from "../../../core/step.js"
import { thrown } from "./rig.js"

const run = () => Promise.resolve()
const a = step("a", { run })
const b = step("b", { run })
const gate = step("gate", { gate: true, after: [a], run })
const prod = step("prod", { after: [gate], run })

function recordOf(steps: readonly AnyStep[]): RunRecord {
  const state = emptyState()
  applyEvent(state, {
    type: "run-started",
    at: "2026-01-01",
    run: "r1",
    pipeline: "p",
    services: [],
    commit: "c",
    dirty: false,
    selection: {},
    facts: {},
    steps: steps.map(nodeOf),
  })
  return state.record as RunRecord
}

describe("checkSamePipeline", () => {
  const record = recordOf([a, gate, prod])

  it("lets the same graph pass, in any order of steps and needs", () => {
    expect(() => checkSamePipeline(record, [prod, a, gate])).not.toThrow()
    const two = step("two", { after: [a, b], run })
    const turned = step("two", { after: [b, a], run })
    expect(() => checkSamePipeline(recordOf([a, b, two]), [a, b, turned])).not.toThrow()
  })

  it.each<[string, readonly AnyStep[], string]>([
    ["a step more", [a, b, gate, prod], "b is new"],
    ["a step less", [a, gate], "prod is gone"],
    ["another name", [a, gate, step("live", { after: [gate], run })], "live is new, prod is gone"],
    ["a way around the gate", [a, gate, step("prod", { after: [a], run })], "prod has other needs"],
    ["a gate that is none any more", [a, step("gate", { after: [a], run }), prod], "gate has other needs"],
  ])("refuses %s and says what differs", async (_, steps, reason) => {
    expect(await thrown(() => checkSamePipeline(record, steps))).toMatchObject({
      code: "RUN-PIPELINE-CHANGED",
      kind: "usage",
      message: "Run r1 was made by another version of the pipeline",
      reason,
    })
  })

  it("does not list hundreds", async () => {
    const many = Array.from({ length: 300 }, (_, i) => step(`s-${i}`, { run }))
    expect((await thrown(() => checkSamePipeline(recordOf([]), many))).reason).toMatch(/s-7 is new, and 292 more$/)
  })
})
