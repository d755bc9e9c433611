import { describe, expect, it } from "vitest"
import type { RunEvent } from "../../../core/events.js"
import { maskEvent } from "../../../core/mask-event.js"
import { createMasker } from "../../../core/mask.js"

/** Every text of these events holds the secret "test", which also occurs in ids and in words that have a meaning. */
const masker = createMasker(["test", "failed", "passed"])

describe("maskEvent", () => {
  it.each<[RunEvent, RunEvent]>([
    [
      {
        type: "step-finished",
        step: "catalog.test",
        status: "failed",
        cached: false,
        output: { a: "a test" },
        reason: "test",
      },
      {
        type: "step-finished",
        step: "catalog.test",
        status: "failed",
        cached: false,
        output: { a: "a ***" },
        reason: "***",
      },
    ],
    [
      {
        type: "step-finished",
        step: "x.test",
        status: "failed",
        cached: false,
        error: {
          code: "TEST-RED",
          kind: "failed",
          message: "test failed",
          reason: "r test",
          hint: "h test",
          stack: "s test",
        },
      },
      {
        type: "step-finished",
        step: "x.test",
        status: "failed",
        cached: false,
        error: { code: "TEST-RED", kind: "failed", message: "*** ***", reason: "r ***", hint: "h ***", stack: "s ***" },
      },
    ],
    [
      { type: "effect-started", step: "deploy-test", key: "deploy:test" },
      { type: "effect-started", step: "deploy-test", key: "deploy:***" },
    ],
    [
      {
        type: "step-retried",
        step: "x.test",
        attempt: 1,
        delay: 5,
        error: { code: "TEST-E", kind: "errored", message: "test" },
      },
      {
        type: "step-retried",
        step: "x.test",
        attempt: 1,
        delay: 5,
        error: { code: "TEST-E", kind: "errored", message: "***" },
      },
    ],
    [
      {
        type: "step-reported",
        step: "x.test",
        report: { kind: "quality-gate", status: "passed", url: "http://test", conditions: [] },
      },
      {
        type: "step-reported",
        step: "x.test",
        report: { kind: "quality-gate", status: "passed", url: "http://***", conditions: [] },
      },
    ],
    [
      { type: "run-finished", status: "failed", error: { code: "TEST-E", kind: "failed", message: "test" } },
      { type: "run-finished", status: "failed", error: { code: "TEST-E", kind: "failed", message: "***" } },
    ],
    [
      { type: "step-logged", step: "x.test", line: "a test" },
      { type: "step-logged", step: "x.test", line: "a ***" },
    ],
    [
      {
        type: "artifact-kept",
        step: "x.test",
        artifact: { path: "artifacts/x.test/a", sha256: "0".repeat(64), size: 1 },
      },
      {
        type: "artifact-kept",
        step: "x.test",
        artifact: { path: "artifacts/x.test/a", sha256: "0".repeat(64), size: 1 },
      },
    ],
    [
      { type: "step-started", step: "x.test", attempt: 1 },
      { type: "step-started", step: "x.test", attempt: 1 },
    ],
    [{ type: "run-resumed" }, { type: "run-resumed" }],
  ])("%j", (event, masked) => {
    expect(maskEvent(event, masker)).toEqual(masked)
  })

  it("masks the facts of a run and leaves its graph", () => {
    const event: RunEvent = {
      type: "run-started",
      run: "20260101-test",
      pipeline: "test",
      services: ["test"],
      commit: "test",
      dirty: false,
      selection: { until: "x.test" },
      facts: { branch: "test" },
      steps: [{ id: "x.test", kind: "pure", needs: [] }],
    }
    expect(maskEvent(event, masker)).toEqual({ ...event, facts: { branch: "***" } })
  })
})
