import { describe, expect, it } from "vitest"
import type { RunEvent, Stamped } from "../../../core/events.js"
import { RunRecord, type StepRecord } from "../../../core/record.js"
import { applyEvent, emptyState } from "../../../core/fold.js"

const at = (second: number) => `2026-01-01T00:00:0${second}.000Z`
const started: RunEvent = {
  type: "run-started",
  run: "r",
  pipeline: "p",
  services: ["catalog"],
  commit: "c",
  dirty: false,
  selection: {},
  facts: { branch: "main" },
  steps: [
    { id: "a", kind: "pure", needs: [] },
    { id: "b", kind: "effect", needs: ["a"], stage: "deploy", service: "catalog", environment: "test" },
  ],
}

function fold(...events: readonly RunEvent[]) {
  const state = emptyState()
  const all: readonly RunEvent[] = [started, ...events]
  all.forEach((event, i) => applyEvent(state, { ...event, at: at(i) } as Stamped<RunEvent>))
  const record = RunRecord.parse(state.record)
  return { record, step: (id: string) => record.steps.find((s) => s.id === id) as StepRecord }
}
const artifact = (path: string, digit: string) => ({ path, sha256: digit.repeat(64), size: 1 })

describe("applyEvent", () => {
  it("begins with every step pending", () => {
    const { record, step } = fold()
    expect(record).toMatchObject({ schema: 1, id: "r", service: "catalog", status: "running", startedAt: at(0) })
    expect(step("b")).toEqual({
      id: "b",
      kind: "effect",
      needs: ["a"],
      stage: "deploy",
      service: "catalog",
      environment: "test",
      status: "pending",
      attempts: 0,
      cached: false,
      artifacts: [],
      reports: [],
    })
  })

  it("has no one service when there are several", () => {
    const state = emptyState()
    applyEvent(state, { ...started, services: ["a", "b"], at: at(0) } as Stamped<RunEvent>)
    expect(state.record).toMatchObject({ service: null, services: ["a", "b"] })
  })

  it("follows a step to its end", () => {
    const { step, record } = fold(
      { type: "step-started", step: "a", attempt: 1 },
      { type: "step-reported", step: "a", report: { kind: "link", title: "t", url: "u" } },
      { type: "artifact-kept", step: "a", artifact: artifact("x", "1") },
      { type: "artifact-kept", step: "a", artifact: artifact("x", "2") },
      { type: "step-finished", step: "a", status: "success", cached: false, output: { n: 1 }, fingerprint: "f" },
      { type: "run-finished", status: "success" },
    )
    expect(step("a")).toMatchObject({
      status: "success",
      startedAt: at(1),
      finishedAt: at(5),
      attempts: 1,
      output: { n: 1 },
      fingerprint: "f",
      artifacts: [artifact("x", "2")],
      reports: [{ kind: "link", title: "t", url: "u" }],
    })
    expect(record).toMatchObject({ status: "success", finishedAt: at(6) })
  })

  it("forgets at the next attempt what the one before it left", () => {
    const { step } = fold(
      { type: "step-started", step: "a", attempt: 1 },
      { type: "artifact-kept", step: "a", artifact: artifact("x", "1") },
      { type: "step-reported", step: "a", report: { kind: "link", title: "t", url: "u" } },
      { type: "step-retried", step: "a", attempt: 1, delay: 1, error: { code: "A-B", kind: "errored", message: "m" } },
      { type: "step-started", step: "a", attempt: 2 },
    )
    expect(step("a")).toMatchObject({ status: "running", attempts: 2, artifacts: [], reports: [], startedAt: at(1) })
  })

  it("remembers an effect until it is known to have succeeded", () => {
    const begun: RunEvent[] = [
      { type: "step-started", step: "b", attempt: 1 },
      { type: "effect-started", step: "b", key: "k" },
    ]
    const ended = (status: "success" | "errored"): RunEvent => ({
      type: "step-finished",
      step: "b",
      status,
      cached: false,
    })
    expect(fold(...begun).step("b").effect).toBe("k")
    expect(fold(...begun, ended("errored")).step("b").effect).toBe("k")
    expect(fold(...begun, ended("errored"), { type: "run-resumed" }).step("b")).toMatchObject({
      effect: "k",
      status: "pending",
    })
    expect(fold(...begun, ended("success")).step("b").effect).toBeUndefined()
  })

  it("resets on resume all but what is done", () => {
    const { step, record } = fold(
      { type: "step-finished", step: "a", status: "success", cached: false, output: 1 },
      { type: "step-started", step: "b", attempt: 1 },
      {
        type: "step-finished",
        step: "b",
        status: "failed",
        cached: false,
        error: { code: "A-B", kind: "failed", message: "m" },
        reason: "r",
      },
      { type: "run-finished", status: "failed", error: { code: "A-B", kind: "failed", message: "m" } },
      { type: "run-resumed" },
    )
    expect(step("a")).toMatchObject({ status: "success", output: 1 })
    expect(step("b")).toEqual({
      id: "b",
      kind: "effect",
      needs: ["a"],
      stage: "deploy",
      service: "catalog",
      environment: "test",
      status: "pending",
      attempts: 1,
      cached: false,
      artifacts: [],
      reports: [],
    })
    expect(record.status).toBe("running")
    expect(record.finishedAt).toBeUndefined()
    expect(record.error).toBeUndefined()
  })

  it("passes over what names no step, and over everything before the start", () => {
    const state = emptyState()
    applyEvent(state, { type: "run-resumed", at: at(0) })
    expect(state.record).toBeUndefined()
    expect(() => fold({ type: "step-started", step: "ghost", attempt: 1 })).not.toThrow()
  })
})
