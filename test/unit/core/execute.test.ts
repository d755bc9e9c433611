import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { branch, changes } from "../../../core/condition.js"
import { allowFailure } from "../../../core/decorators.js"
import { fault } from "../../../core/errors.js"
import { pipeline } from "../../../core/pipeline.js"
import { step } from "../../../core/step.js"
import { listRuns, openStore } from "../../../core/store.js"
import { aborted, onlyRun, runPipeline, temporaryProject, thrown } from "./rig.js"

const ok = () => Promise.resolve()
const effect = { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" } as const
const red = () => Promise.reject(fault({ code: "TESTS-RED", kind: "failed", message: "2 tests failed" }))

describe("execute: a run", () => {
  it("hands outputs along and records what happened", async () => {
    const a = step("a", { engine: false, output: z.object({ n: z.number() }), run: () => Promise.resolve({ n: 1 }) })
    const b = step("b", {
      engine: false,
      needs: { a, list: [a, a] },
      output: z.object({ n: z.number() }),
      run: ({ needs }) => Promise.resolve({ n: needs.a.n + needs.list.length }),
    })
    const { record, step: s, events } = await runPipeline(pipeline("p", { targets: [b] }))
    expect(record).toMatchObject({ status: "success", pipeline: "p", commit: "c0ffee", dirty: false, schema: 1 })
    expect(s("b")).toMatchObject({ output: { n: 3 }, attempts: 1, cached: false })
    expect(events.map((e) => e.type)).toEqual([
      "run-started",
      "step-started",
      "step-finished",
      "step-started",
      "step-finished",
      "run-finished",
    ])
  })

  it("tells steps about the run", async () => {
    let seen: unknown
    const a = step("a", {
      engine: false,
      run: ({ run, step: id, attempt }) => {
        seen = { ...run, id, attempt }
        return ok()
      },
    })
    const { project, dir } = await runPipeline(pipeline("p", { targets: [a] }), { commit: "abc", dirty: true })
    expect(seen).toEqual({ id: "a", attempt: 1, pipeline: "p", dir, project, commit: "abc", dirty: true, facts: {} })
  })

  it("covers what the selection says, and what is outside counts as not there", async () => {
    const a = step("a", { engine: false, output: z.number(), run: () => Promise.resolve(1) })
    const before = step("before", { engine: false, run: red })
    const b = step("b", { engine: false, needs: { a }, after: [before], run: ok })
    const p = pipeline("p", { targets: [b] })
    expect((await runPipeline(p, { selection: { only: "b" } })).statuses).toEqual({ a: "success", b: "success" })
    expect((await runPipeline(p, { selection: { until: "a" } })).statuses).toEqual({ a: "success" })
  })

  it("skips by condition, and gives undefined to who needs the output", async () => {
    const a = step("a", {
      engine: false,
      when: branch("main"),
      output: z.number(),
      run: () => Promise.resolve(1),
    })
    let got: unknown = "untouched"
    const b = step("b", {
      engine: false,
      needs: { a },
      run: ({ needs }) => {
        got = needs.a
        return ok()
      },
    })
    const p = pipeline("p", { targets: [b] })
    const off = await runPipeline(p, { facts: { branch: "feature" } })
    expect(off.step("a")).toMatchObject({ status: "skipped", reason: "only on branch main (this is feature)" })
    expect(off.record.status).toBe("success")
    expect(got).toBeUndefined()
    await runPipeline(p, { facts: { branch: "main" } })
    expect(got).toBe(1)
  })
})

describe("execute: the cache", () => {
  const counted = () => {
    let runs = 0
    const a = step("a", {
      engine: false,
      output: z.object({ n: z.number() }),
      async run({ artifacts, publish }) {
        await artifacts.put("x.txt", { text: "kept" })
        publish({ kind: "link", title: "t", url: "u" })
        return { n: ++runs }
      },
    })
    return { p: pipeline("p", { targets: [a] }), runs: () => runs }
  }

  it("serves a pure step whose inputs are the same, with artifacts and reports", async () => {
    const project = await temporaryProject()
    const { p, runs } = counted()
    const first = await runPipeline(p, { project })
    const second = await runPipeline(p, { project })
    expect(runs()).toBe(1)
    expect(second.step("a")).toMatchObject({
      cached: true,
      status: "success",
      output: { n: 1 },
      reason: `same inputs as in run ${first.record.id}`,
      reports: [{ kind: "link", title: "t", url: "u" }],
      attempts: 0,
    })
    expect(await readdir(join(second.dir, "artifacts", "a"))).toEqual(["x.txt"])
  })

  it.each<[string, object]>([
    ["another commit, for a step that needs nothing", { commit: "other" }],
    ["a dirty work tree", { dirty: true }],
  ])("does not serve %s", async (_, options) => {
    const project = await temporaryProject()
    const { p, runs } = counted()
    await runPipeline(p, { project })
    await runPipeline(p, { project, ...options })
    expect(runs()).toBe(2)
  })

  it("does not serve what is red, effects, or steps that say so", async () => {
    const project = await temporaryProject()
    let runs = 0
    const count = () => (runs++, ok())
    const failing = allowFailure(step("failing", { engine: false, run: () => (runs++, red()) }))
    const p = pipeline("p", {
      targets: [
        step("e", { engine: false, effect, run: count }),
        step("n", { engine: false, cache: false, run: count }),
        failing,
      ],
    })
    await runPipeline(p, { project })
    await runPipeline(p, { project })
    expect(runs).toBe(6)
  })

  it("does not serve an output that the step would not declare now", async () => {
    const project = await temporaryProject()
    const make = (output: z.ZodType<number | string>) =>
      pipeline("p", { targets: [step("a", { engine: false, output, run: () => Promise.resolve(1) })] })
    await runPipeline(make(z.number()), { project })
    expect((await runPipeline(make(z.number().or(z.string())), { project })).step("a")?.cached).toBe(true)
    const now = await runPipeline(make(z.literal(2).or(z.string())), { project })
    expect(now.step("a")).toMatchObject({ status: "errored", cached: false, error: { code: "STEP-OUTPUT" } })
  })
})

describe("execute: what is red", () => {
  it("stops what stands behind it, says why, and leaves the rest alone", async () => {
    const r = step("red", { engine: false, run: red })
    const behind = step("behind", { engine: false, after: [r], run: ok })
    const further = step("further", { engine: false, after: [behind], run: ok })
    const beside = step("beside", { engine: false, run: ok })
    const { record, step: s } = await runPipeline(pipeline("p", { targets: [further, beside] }))
    expect(record.status).toBe("failed")
    expect(s("red")).toMatchObject({ status: "failed", error: { code: "TESTS-RED", kind: "failed" } })
    for (const id of ["behind", "further"]) {
      expect(s(id)).toMatchObject({ status: "skipped", reason: "not run: red failed" })
    }
    expect(s("beside")?.status).toBe("success")
  })

  it.each<[string, unknown, string, string]>([
    ["a fault of the work", fault({ code: "A-B", kind: "failed", message: "m" }), "failed", "failed"],
    ["a fault of infrastructure", fault({ code: "A-B", kind: "errored", message: "m" }), "errored", "errored"],
    ["a wrong use", fault({ code: "A-B", kind: "usage", message: "m" }), "errored", "errored"],
    ["an error nobody foresaw", new TypeError("x is not a function"), "errored", "errored"],
    ["something that is no error", "a text", "errored", "errored"],
    ["a question", fault({ code: "A-B", kind: "waiting", message: "m" }), "waiting", "waiting"],
    ["its own end", fault({ code: "A-B", kind: "cancelled", message: "m" }), "cancelled", "cancelled"],
  ])("%s makes the step %s", async (_, error, status, runStatus) => {
    const a = step("a", { engine: false, run: () => Promise.reject(error as Error) })
    const { record, step: s } = await runPipeline(pipeline("p", { targets: [a] }))
    expect(s("a")?.status).toBe(status)
    expect(record.status).toBe(runStatus)
  })

  it("errored outranks failed", async () => {
    const f = step("f", { engine: false, run: red })
    const e = step("e", { engine: false, run: () => Promise.reject(new Error("broken")) })
    expect((await runPipeline(pipeline("p", { targets: [f, e] }))).record.status).toBe("errored")
  })

  it("allowed to fail: stops nothing, and the run is green", async () => {
    const flaky = allowFailure(step("flaky", { engine: false, output: z.number(), run: red }))
    let got: unknown = "untouched"
    const behind = step("behind", {
      engine: false,
      needs: { flaky },
      run: ({ needs }) => {
        got = needs.flaky
        return ok()
      },
    })
    const { record, statuses } = await runPipeline(pipeline("p", { targets: [behind] }))
    expect(statuses).toEqual({ flaky: "failed", behind: "success" })
    expect(record.status).toBe("success")
    expect(got).toBeUndefined()
  })

  it("allowed to fail does not mean allowed to be jumped: what stopped that step stops its followers", async () => {
    const r = step("red", { engine: false, run: red })
    const flaky = allowFailure(step("flaky", { engine: false, after: [r], run: ok }))
    let ran = false
    const deploy = step("deploy", { engine: false, after: [flaky], effect, run: () => ((ran = true), ok()) })
    const { step: s, record } = await runPipeline(pipeline("p", { targets: [deploy] }))
    expect(ran).toBe(false)
    expect(s("deploy")).toMatchObject({ status: "skipped", reason: "not run: red failed" })
    expect(record.status).toBe("failed")
  })

  it("failFast cancels what runs beside it; without it that finishes", async () => {
    for (const failFast of [true, false]) {
      let told = false
      const r = step("red", { engine: false, run: red })
      const slow = step("slow", {
        engine: false,
        async run({ signal }) {
          if (!failFast) return
          await aborted(signal)
          told = true
          throw new Error("stopped")
        },
      })
      const later = step("later", { engine: false, after: [slow], run: ok })
      const { step: s, record } = await runPipeline(pipeline("p", { targets: [r, later], failFast }))
      expect(told).toBe(failFast)
      expect(s("slow")?.status).toBe(failFast ? "cancelled" : "success")
      if (failFast)
        expect(s("slow")?.error).toMatchObject({ code: "CANCELLED-SIBLING", message: "Cancelled because red failed" })
      expect(s("later")?.status).toBe(failFast ? "skipped" : "success")
      expect(record.status).toBe("failed")
    }
  })

  it("failFast is not for steps that may fail", async () => {
    const flaky = allowFailure(step("flaky", { engine: false, run: red }))
    const other = step("other", { engine: false, after: [flaky], run: ok })
    const { record } = await runPipeline(pipeline("p", { targets: [other], failFast: true }))
    expect(record.status).toBe("success")
  })
})

describe("execute: secrets", () => {
  const a = step("a", { engine: false, secrets: ["TOKEN", "OTHER"], run: ok })
  const b = step("b", { engine: false, secrets: ["TOKEN"], when: branch("main"), run: ok })
  const p = pipeline("p", { targets: [a, b] })

  it("that are missing are all named before anything runs or is written", async () => {
    const project = await temporaryProject()
    let ran = false
    const first = step("first", { engine: false, run: () => ((ran = true), ok()) })
    const missing = thrown(() =>
      runPipeline(pipeline("p", { targets: [first, a, b] }), { project, facts: { branch: "main" } }),
    )
    expect(await missing).toMatchObject({
      code: "SECRET-MISSING",
      kind: "usage",
      message: "2 secrets are missing: TOKEN (for a, b); OTHER (for a)",
    })
    expect(ran).toBe(false)
    expect(await readdir(project)).toEqual([])
  })

  it("of steps that are skipped are not asked for", async () => {
    const project = await temporaryProject()
    const onlyB = pipeline("p", { targets: [b] })
    expect((await runPipeline(onlyB, { project, facts: { branch: "x" } })).record.status).toBe("success")
    expect((await thrown(() => runPipeline(p, { project, facts: { branch: "x" } }))).message).toContain("TOKEN (for a)")
  })
})

describe("execute: gates", () => {
  const decide = { open: false }
  const gate = step("gate", {
    engine: false,
    gate: true,
    run: () =>
      decide.open
        ? ok()
        : Promise.reject(fault({ code: "GATE-WAITING", kind: "waiting", message: "Waiting for approval" })),
  })

  it("leave what is behind them pending, and are asked again by a resume", async () => {
    const project = await temporaryProject()
    decide.open = false
    const runs: string[] = []
    const before = step("before", { engine: false, cache: false, run: () => (runs.push("before"), ok()) })
    const g = step("g", { ...gate.definition, after: [before] } as never)
    const prod = step("prod", { engine: false, after: [g], effect, run: () => (runs.push("prod"), ok()) })
    const p = pipeline("p", { targets: [prod] })
    const first = await runPipeline(p, { project })
    expect(first.record.status).toBe("waiting")
    expect(first.statuses).toEqual({ before: "success", g: "waiting", prod: "pending" })
    const again = await runPipeline(p, { project, resume: first.record.id })
    expect(again.record.status).toBe("waiting")
    decide.open = true
    const last = await runPipeline(p, { project, resume: first.record.id })
    expect(last.record).toMatchObject({ status: "success", id: first.record.id })
    expect(runs).toEqual(["before", "prod"])
  })

  it("hold also behind a step that may fail, and behind one whose condition does not hold", async () => {
    decide.open = false
    let ran = false
    const notify = allowFailure(step("notify", { engine: false, after: [gate], run: ok }))
    const maybe = step("maybe", { engine: false, after: [gate], when: changes("x", ["x/**"]), run: ok })
    const prod = step("prod", { engine: false, after: [notify, maybe], effect, run: () => ((ran = true), ok()) })
    const { statuses, record } = await runPipeline(pipeline("p", { targets: [prod] }), { facts: { changed: [] } })
    expect(ran).toBe(false)
    expect(statuses).toEqual({ gate: "waiting", notify: "pending", maybe: "pending", prod: "pending" })
    expect(record.status).toBe("waiting")
  })

  it("that wait do not hide what failed beside them", async () => {
    decide.open = false
    const r = step("red", { engine: false, run: red })
    expect((await runPipeline(pipeline("p", { targets: [gate, r] }))).record.status).toBe("failed")
  })
})

describe("execute: resume", () => {
  it("repeats what was not green and nothing else", async () => {
    const project = await temporaryProject()
    const runs: string[] = []
    const world = { broken: true }
    const a = step("a", { engine: false, cache: false, run: () => (runs.push("a"), ok()) })
    const b = step("b", {
      engine: false,
      after: [a],
      run: () => (runs.push("b"), world.broken ? Promise.reject(new Error("engine gone")) : ok()),
    })
    const c = step("c", { engine: false, after: [b], run: () => (runs.push("c"), ok()) })
    const skipped = step("skipped", { engine: false, when: branch("main"), run: () => (runs.push("skipped"), ok()) })
    const p = pipeline("p", { targets: [c, skipped] })
    const first = await runPipeline(p, { project, facts: { branch: "feature" } })
    expect(first.statuses).toEqual({ a: "success", b: "errored", c: "skipped", skipped: "skipped" })
    world.broken = false
    // The branch has changed meanwhile; the run still is the one of the feature branch.
    const second = await runPipeline(p, { project, resume: first.record.id, facts: { branch: "main" } })
    expect(second.statuses).toEqual({ a: "success", b: "success", c: "success", skipped: "skipped" })
    expect(runs).toEqual(["a", "b", "b", "c"])
    expect(second.step("b")).toMatchObject({ attempts: 2 })
    expect(second.step("b")?.error).toBeUndefined()
  })

  it("covers what the run covered, with its commit, whatever it is called with", async () => {
    const project = await temporaryProject()
    let broken = true
    let commit: string | undefined
    const a = step("a", {
      engine: false,
      run: ({ run }) => ((commit = run.commit), broken ? Promise.reject(new Error("x")) : ok()),
    })
    const b = step("b", { engine: false, after: [a], run: ok })
    const p = pipeline("p", { targets: [b] })
    const first = await runPipeline(p, { project, selection: { until: "a" }, commit: "first" })
    broken = false
    const second = await runPipeline(p, { project, resume: first.record.id, commit: "second" })
    expect(second.statuses).toEqual({ a: "success" })
    expect(commit).toBe("first")
  })

  it("asks only for the secrets of what is still to do", async () => {
    const project = await temporaryProject()
    let broken = true
    const a = step("a", { engine: false, secrets: ["DONE"], cache: false, run: ok })
    const b = step("b", {
      engine: false,
      after: [a],
      secrets: ["OPEN"],
      run: () => (broken ? Promise.reject(new Error("x")) : ok()),
    })
    const p = pipeline("p", { targets: [b] })
    const { record } = await runPipeline(p, { project, env: { DONE: "done-value", OPEN: "open-value" } })
    broken = false
    expect(await thrown(() => runPipeline(p, { project, resume: record.id }))).toMatchObject({
      message: "A secret is missing: OPEN (for b)",
    })
    expect((await runPipeline(p, { project, resume: record.id, env: { OPEN: "open-value" } })).record.status).toBe(
      "success",
    )
  })

  it("of a finished run does nothing", async () => {
    const project = await temporaryProject()
    let runs = 0
    const p = pipeline("p", { targets: [step("a", { engine: false, effect, run: () => (runs++, ok()) })] })
    const { record } = await runPipeline(p, { project })
    const again = await runPipeline(p, { project, resume: record.id })
    expect([runs, again.record.status]).toEqual([1, "success"])
  })

  it("refuses another version of the pipeline and leaves the record as it was", async () => {
    const project = await temporaryProject()
    const a = step("a", { engine: false, run: () => Promise.reject(new Error("x")) })
    const { record } = await runPipeline(pipeline("p", { targets: [a] }), { project })
    const other = pipeline("p", { targets: [step("b", { engine: false, after: [a], run: ok })] })
    expect(await thrown(() => runPipeline(other, { project, resume: record.id }))).toMatchObject({
      code: "RUN-PIPELINE-CHANGED",
    })
    expect((await onlyRun(project)).record).toEqual(record)
  })

  it("does not know a run that is not there, and makes none", async () => {
    const project = await temporaryProject()
    const p = pipeline("p", { targets: [step("a", { engine: false, run: ok })] })
    expect(await thrown(() => runPipeline(p, { project, resume: "20260101-000000-0000" }))).toMatchObject({
      code: "RUN-UNKNOWN",
    })
    expect(await listRuns(openStore(project))).toEqual([])
  })

  it("refuses an output that somebody changed in the journal", async () => {
    const { readFile, writeFile } = await import("node:fs/promises")
    const project = await temporaryProject()
    let broken = true
    const a = step("a", { engine: false, output: z.object({ n: z.number() }), run: () => Promise.resolve({ n: 41 }) })
    const b = step("b", { engine: false, needs: { a }, run: () => (broken ? Promise.reject(new Error("x")) : ok()) })
    const p = pipeline("p", { targets: [b] })
    const { record, dir } = await runPipeline(p, { project })
    broken = false
    const journal = join(dir, "events.ndjson")
    await writeFile(journal, (await readFile(journal, "utf8")).replace('"n":41', '"n":"a"'))
    const second = await runPipeline(p, { project, resume: record.id })
    expect(second.step("b")).toMatchObject({ status: "errored", error: { code: "STEP-OUTPUT" } })
  })
})
