import { describe, expect, it } from "vitest"
import { z } from "zod"
import { fault } from "../../../core/errors.js"
import { pipeline } from "../../../core/pipeline.js"
import { step } from "../../../core/step.js"
import { runPipeline, temporaryProject } from "./rig.js"

describe("execute", () => {
  it("hands outputs along and records what happened", async () => {
    const a = step("a", { engine: false, output: z.object({ n: z.number() }), run: () => Promise.resolve({ n: 1 }) })
    const b = step("b", {
      engine: false,
      needs: { a },
      output: z.object({ n: z.number() }),
      run: ({ needs }) => Promise.resolve({ n: needs.a.n + 1 }),
    })
    const { record, step: s } = await runPipeline(pipeline("p", { targets: [b] }))
    expect(record.status).toBe("success")
    expect(s("b")?.output).toEqual({ n: 2 })
  })

  it("takes a pure step from the cache when its inputs are the same", async () => {
    const project = await temporaryProject()
    let runs = 0
    const a = step("a", {
      engine: false,
      output: z.object({ n: z.number() }),
      run: () => Promise.resolve({ n: ++runs }),
    })
    const p = pipeline("p", { targets: [a] })
    await runPipeline(p, { project })
    const second = await runPipeline(p, { project })
    expect(runs).toBe(1)
    expect(second.step("a")).toMatchObject({ cached: true, status: "success", output: { n: 1 } })
  })

  it("skips what stands behind a red step and says why", async () => {
    const red = step("red", {
      engine: false,
      run: () => Promise.reject(fault({ code: "TESTS-RED", kind: "failed", message: "2 tests failed" })),
    })
    const behind = step("behind", { engine: false, after: [red], run: () => Promise.resolve() })
    const { record, step: s } = await runPipeline(pipeline("p", { targets: [behind] }))
    expect(record.status).toBe("failed")
    expect(s("behind")).toMatchObject({ status: "skipped", reason: "not run: red failed" })
  })

  it("waits at a gate, leaves what is behind it pending, and goes on when asked again", async () => {
    const project = await temporaryProject()
    let decided = false
    const gate = step("gate", {
      engine: false,
      gate: true,
      run: () =>
        decided
          ? Promise.resolve()
          : Promise.reject(fault({ code: "GATE-WAITING", kind: "waiting", message: "Waiting for approval" })),
    })
    const prod = step("prod", {
      engine: false,
      after: [gate],
      effect: { key: () => "prod", retry: { attempts: 1 }, reconcile: "repeat" },
      run: () => Promise.resolve(),
    })
    const p = pipeline("p", { targets: [prod] })
    const first = await runPipeline(p, { project })
    expect(first.record.status).toBe("waiting")
    expect(first.step("prod")?.status).toBe("pending")
    decided = true
    const second = await runPipeline(p, { project, resume: first.record.id })
    expect(second.record.status).toBe("success")
    expect(second.record.id).toBe(first.record.id)
  })
})
