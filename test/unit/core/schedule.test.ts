import { describe, expect, it } from "vitest"
import { fault } from "../../../core/errors.js"
import { pipeline } from "../../../core/pipeline.js"
import { step, type AnyStep } from "../../../core/step.js"
import { deferred, runPipeline } from "./rig.js"

describe("schedule", () => {
  it.each([1, 2, 5, 0])("runs at most %i steps at once (at least one), and as many as it may", async (concurrency) => {
    let running = 0
    let most = 0
    const all = Array.from({ length: 12 }, (_, i) =>
      step(`s-${i}`, {
        engine: false,
        async run() {
          most = Math.max(most, ++running)
          for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve))
          running--
        },
      }),
    )
    const { record } = await runPipeline(pipeline("p", { targets: all }), { concurrency })
    expect(record.status).toBe("success")
    expect(most).toBe(Math.max(1, concurrency))
  })

  it("starts a step as soon as what it needs is done, whatever else still runs", async () => {
    const release = deferred()
    const quick = step("quick", { engine: false, run: () => Promise.resolve() })
    const slow = step("slow", { engine: false, run: () => release.promise })
    const behind = step("behind", { engine: false, after: [quick], run: () => Promise.resolve(release.resolve()) })
    const { record } = await runPipeline(pipeline("p", { targets: [slow, behind] }))
    expect(record.status).toBe("success")
  })

  it("runs every step of a random graph exactly once, behind all that it needs", async () => {
    let seed = 42
    const random = (below: number) => (seed = (seed * 1103515245 + 12345) % 2 ** 31) % below
    const done = new Set<string>()
    const early: string[] = []
    let runs = 0
    const steps: AnyStep[] = []
    for (let i = 0; i < 300; i++) {
      const after = [...new Set(Array.from({ length: i === 0 ? 0 : random(4) }, () => steps[random(i)] as AnyStep))]
      steps.push(
        step(`s-${i}`, {
          engine: false,
          after,
          async run() {
            runs++
            if (!after.every((p) => done.has(p.id))) early.push(`s-${i}`)
            for (let turn = random(3); turn > 0; turn--) await new Promise((resolve) => setImmediate(resolve))
            done.add(`s-${i}`)
          },
        }),
      )
    }
    const { record } = await runPipeline(pipeline("p", { targets: steps }), { concurrency: 7 })
    expect({ runs, done: done.size, early, status: record.status }).toEqual({
      runs: 300,
      done: 300,
      early: [],
      status: "success",
    })
  })

  it("lets what is independent of a red step finish", async () => {
    const red = step("red", {
      engine: false,
      run: () => Promise.reject(fault({ code: "A-B", kind: "failed", message: "m" })),
    })
    const a = step("a", { engine: false, run: () => Promise.resolve() })
    const b = step("b", { engine: false, after: [a], run: () => Promise.resolve() })
    const both = step("both", { engine: false, after: [b, red], run: () => Promise.resolve() })
    const { statuses } = await runPipeline(pipeline("p", { targets: [both] }), { concurrency: 1 })
    expect(statuses).toEqual({ red: "failed", a: "success", b: "success", both: "skipped" })
  })

  it("errs a step whose cache function or effect key throws, and only that", async () => {
    const boom = () => {
      throw new Error("boom")
    }
    const cache = step("cache", { engine: false, cache: boom, run: () => Promise.resolve() })
    const key = step("key", {
      engine: false,
      effect: { key: boom, retry: { attempts: 1 }, reconcile: "repeat" },
      run: () => Promise.resolve(),
    })
    const fine = step("fine", { engine: false, run: () => Promise.resolve() })
    const { statuses } = await runPipeline(pipeline("p", { targets: [cache, key, fine] }))
    expect(statuses).toEqual({ cache: "errored", key: "errored", fine: "success" })
  })
})
