import { readdir } from "node:fs/promises"
import { join } from "node:path"
import { describe, expect, it } from "vitest"
import { z } from "zod"
import { allowFailure, ensure, retry, timeout } from "../../../core/decorators.js"
import { fault } from "../../../core/errors.js"
import type { StepRetried } from "../../../core/events.js"
import { pipeline } from "../../../core/pipeline.js"
import { step, type AnyStep, type Context, type Needs } from "../../../core/step.js"
import { readLog } from "../../../core/store.js"
import { aborted, deferred, onlyRun, runPipeline, temporaryProject, type RigOptions } from "./rig.js"

const ok = () => Promise.resolve()
const infrastructure = () => Promise.reject(fault({ code: "A-NET", kind: "errored", message: "connection reset" }))
const runOne = (s: AnyStep, options: RigOptions = {}) => runPipeline(pipeline("p", { targets: [s] }), options)
/** Fails so many times, then is green. */
function flaky(times: number, error: () => Promise<never> = infrastructure) {
  const attempts: number[] = []
  return {
    attempts,
    run: ({ attempt }: { readonly attempt: number }) => {
      attempts.push(attempt)
      return attempts.length <= times ? error() : ok()
    },
  }
}

describe("retry", () => {
  it("tries an errored step again, with a growing pause", async () => {
    const { attempts, run } = flaky(2)
    const { step: s, events } = await runOne(retry(step("a", { engine: false, run }), { attempts: 4, backoff: 2 }))
    expect(attempts).toEqual([1, 2, 3])
    expect(s("a")).toMatchObject({ status: "success", attempts: 3 })
    expect(s("a")?.error).toBeUndefined()
    expect(
      events.filter((e): e is StepRetried & { at: string } => e.type === "step-retried").map((e) => e.delay),
    ).toEqual([2, 4])
  })

  it("gives up after the last attempt", async () => {
    const { attempts, run } = flaky(9)
    const { step: s } = await runOne(retry(step("a", { engine: false, run }), { attempts: 3, backoff: 1 }))
    expect(attempts).toEqual([1, 2, 3])
    expect(s("a")).toMatchObject({ status: "errored", error: { code: "A-NET" } })
  })

  it.each(["failed", "waiting", "cancelled"] as const)("never tries again what %s", async (kind) => {
    const { attempts, run } = flaky(9, () => Promise.reject(fault({ code: "A-B", kind, message: "m" })))
    const { step: s } = await runOne(retry(step("a", { engine: false, run }), { attempts: 3, backoff: 1 }))
    expect(attempts).toEqual([1])
    expect(s("a")?.status).toBe(kind)
  })

  it("is not waited for once the run is cancelled", async () => {
    const controller = new AbortController()
    const s = retry(step("a", { engine: false, run: infrastructure }), { attempts: 5, backoff: 300_000 })
    const { step: got, record } = await runOne(s, {
      signal: controller.signal,
      onEvent: (event) => event.type === "step-retried" && controller.abort(),
    })
    expect(got("a")?.status).toBe("cancelled")
    expect(record.status).toBe("cancelled")
  })
})

describe("timeout", () => {
  it("aborts the attempt: errored, and tried again", async () => {
    let attempts = 0
    const s = step("a", {
      engine: false,
      timeout: 5,
      retry: { attempts: 2, backoff: 1 },
      async run({ signal }) {
        attempts++
        if (attempts === 1) await aborted(signal)
        signal.throwIfAborted()
      },
    })
    expect((await runOne(s)).step("a")).toMatchObject({ status: "success", attempts: 2 })
    attempts = -9
    const hang = timeout(
      step("a", { engine: false, run: ({ signal }) => aborted(signal).then(() => Promise.reject(new Error("x"))) }),
      0.005,
    )
    expect((await runOne(hang)).step("a")).toMatchObject({
      status: "errored",
      error: { code: "STEP-TIMEOUT", kind: "errored", message: "a did not end within 0.005 s" },
    })
  })

  it("does not count the time in which the engine was got ready", async () => {
    const s = step("a", { timeout: 40, run: ok })
    const { step: got } = await runOne(s, {
      session: {
        open: () => new Promise((resolve) => setTimeout(() => resolve({} as never), 120)),
        classify: () => undefined,
        close: ok,
      },
    })
    expect(got("a")?.status).toBe("success")
  })
})

describe("cancellation", () => {
  it("reaches the step, waits for its clean end, and records it", async () => {
    const controller = new AbortController()
    const cleaned: string[] = []
    const s = step("a", {
      engine: false,
      async run({ signal }) {
        controller.abort(fault({ code: "CANCELLED-INTERRUPT", kind: "cancelled", message: "Interrupted" }))
        await aborted(signal)
        cleaned.push("a")
        signal.throwIfAborted()
      },
    })
    const after = step("after", { engine: false, after: [s], run: ok })
    const waiting = step("waiting", { engine: false, run: ok })
    const { record, step: got } = await runPipeline(pipeline("p", { targets: [after, waiting] }), {
      signal: controller.signal,
      concurrency: 1,
    })
    expect(cleaned).toEqual(["a"])
    expect(got("a")).toMatchObject({ status: "cancelled", error: { code: "CANCELLED-INTERRUPT" } })
    expect(got("after")).toMatchObject({ status: "skipped", reason: "not run: a was cancelled" })
    expect(got("waiting")?.status).toBe("cancelled")
    expect(record.status).toBe("cancelled")
  })

  it("before the start runs nothing", async () => {
    let ran = false
    const s = step("a", { engine: false, run: () => ((ran = true), ok()) })
    const { record } = await runOne(s, { signal: AbortSignal.abort() })
    expect([ran, record.status]).toEqual([false, "cancelled"])
  })

  it("that comes when everything is done changes nothing", async () => {
    const controller = new AbortController()
    const s = step("a", { engine: false, run: ok })
    const { record } = await runOne(s, {
      signal: controller.signal,
      onEvent: (event) => event.type === "step-finished" && controller.abort(),
    })
    expect(record.status).toBe("success")
  })

  it("of a step that succeeded all the same is a success: the effect took place", async () => {
    const controller = new AbortController()
    const s = step("a", {
      engine: false,
      effect: { key: () => "k", retry: { attempts: 1 }, reconcile: "repeat" },
      async run({ signal }) {
        controller.abort()
        await aborted(signal)
      },
    })
    expect((await runOne(s, { signal: controller.signal })).step("a")?.status).toBe("success")
  })

  it("does not hang on a step that ignores the signal, and what that does afterwards changes nothing", async () => {
    const controller = new AbortController()
    const over = deferred()
    const late = deferred<unknown[]>()
    const s = step("a", {
      engine: false,
      async run({ publish, artifacts, log, run }) {
        controller.abort()
        await over.promise
        const tries: unknown[] = []
        log.info("too late")
        try {
          publish({ kind: "link", title: "too late", url: "u" })
        } catch (cause) {
          tries.push((cause as { code?: string }).code)
        }
        await artifacts.put("x", { text: run.id }).catch((cause: { code?: string }) => tries.push(cause.code))
        late.resolve(tries)
      },
    })
    const project = await temporaryProject()
    const { record } = await runOne(s, { project, signal: controller.signal, patience: { grace: 5 } })
    expect(record.steps[0]?.status).toBe("cancelled")
    over.resolve()
    expect(await late.promise).toEqual(["STEP-OVER", "STEP-OVER"])
    const { record: recorded, store, id } = await onlyRun(project)
    expect(recorded.steps[0]).toMatchObject({ status: "cancelled", artifacts: [], reports: [] })
    expect(await readLog(store, id, "a")).toBeUndefined()
  })

  it("keeps an effect from being begun by a step that was given up", async () => {
    const controller = new AbortController()
    const over = deferred()
    let acted = false
    const project = await temporaryProject()
    const world = { first: true }
    const s = step("a", {
      engine: false,
      effect: {
        key: () => "k",
        retry: { attempts: 1 },
        async reconcile(): Promise<void> {
          controller.abort()
          await over.promise
        },
      },
      run: () => (world.first ? infrastructure() : ((acted = true), ok())),
    })
    const { record } = await runOne(s, { project })
    world.first = false
    await runOne(s, { project, resume: record.id, signal: controller.signal, patience: { grace: 5 } })
    over.resolve()
    await new Promise((resolve) => setImmediate(resolve))
    expect(acted).toBe(false)
  })
})

describe("ensure", () => {
  const kinds: readonly [string, () => Promise<void>, string][] = [
    ["success", ok, "success"],
    ["failure", () => Promise.reject(fault({ code: "A-B", kind: "failed", message: "m" })), "failed"],
    ["error", infrastructure, "errored"],
  ]

  it.each(kinds)("runs after %s, with a fresh signal and the same scratch folder", async (_, run, status) => {
    const seen: unknown[] = []
    let scratch = ""
    const s = ensure(
      step("a", {
        engine: false,
        run: (context) => {
          scratch = context.scratch
          return run()
        },
      }),
      (context) => {
        seen.push(context.signal.aborted, context.scratch === scratch)
        return ok()
      },
    )
    expect((await runOne(s)).step("a")?.status).toBe(status)
    expect(seen).toEqual([false, true])
  })

  it("runs after cancellation, with a fresh signal, and may still publish", async () => {
    const controller = new AbortController()
    let fresh: boolean | undefined
    const s = step("a", {
      engine: false,
      async run({ signal }) {
        controller.abort()
        await aborted(signal)
        signal.throwIfAborted()
      },
      async ensure({ signal, artifacts, log }) {
        fresh = !signal.aborted
        log.info("cleaning up")
        await artifacts.put("container.log", { text: "last words" })
      },
    })
    const { step: got } = await runOne(s, { signal: controller.signal })
    expect(fresh).toBe(true)
    expect(got("a")).toMatchObject({ status: "cancelled", artifacts: [{ path: "artifacts/a/container.log" }] })
  })

  it("runs after every attempt", async () => {
    let cleaned = 0
    const { run } = flaky(2)
    const s = ensure(retry(step("a", { engine: false, run }), { attempts: 3, backoff: 1 }), () => (cleaned++, ok()))
    await runOne(s)
    expect(cleaned).toBe(3)
  })

  it("that fails makes a green step errored and leaves a red one as it is", async () => {
    const bad = (run: () => Promise<void>) =>
      ensure(step("a", { engine: false, run }), () => Promise.reject(new Error("stuck")))
    const green = await runOne(bad(ok))
    expect(green.step("a")).toMatchObject({ status: "errored", error: { message: "stuck" } })
    const failed = await runOne(bad(() => Promise.reject(fault({ code: "A-B", kind: "failed", message: "m" }))))
    expect(failed.step("a")).toMatchObject({ status: "failed", error: { code: "A-B" } })
    expect(await readLog(failed.store, failed.record.id, "a")).toBe("Cleaning up failed: stuck\n")
  })

  it("that never ends does not hang the run", async () => {
    const s = ensure(step("a", { engine: false, run: ok }), () => new Promise(() => {}))
    const { step: got } = await runOne(s, { patience: { cleanup: 5, grace: 5 } })
    expect(got("a")).toMatchObject({
      status: "errored",
      error: { code: "STEP-TIMEOUT", message: "Cleaning up a did not end within 0.005 s" },
    })
  })

  it("does not run for a step that could not begin", async () => {
    let cleaned = false
    const s = ensure(step("a", { run: ok }), () => ((cleaned = true), ok()))
    const { step: got } = await runOne(s)
    expect(got("a")).toMatchObject({ status: "errored", error: { message: "no engine in unit tests" } })
    expect(cleaned).toBe(false)
  })
})

describe("effects", () => {
  /** A world in which something is deployed, and a step that deploys it and may break off. */
  function world(breaks: "before" | "after" | "never") {
    const state = { deployed: 0, reconciled: 0, breaks }
    const deploy = step("deploy", {
      engine: false,
      output: z.object({ version: z.string() }),
      effect: {
        key: ({ run }) => `deploy:${run.commit}`,
        retry: { attempts: 1 },
        reconcile() {
          state.reconciled++
          return Promise.resolve(state.deployed > 0 ? { version: "1" } : undefined)
        },
      },
      async run() {
        if (state.breaks === "before") return infrastructure()
        state.deployed++
        if (state.breaks === "after") await infrastructure()
        return { version: "1" }
      },
    })
    return { state, deploy }
  }

  it("are recorded before they are done", async () => {
    const { deploy, state } = world("never")
    const { events, step: s } = await runOne(deploy)
    expect(events.map((e) => e.type).slice(1, 4)).toEqual(["step-started", "effect-started", "step-finished"])
    expect(events.find((e) => e.type === "effect-started")).toMatchObject({ key: "deploy:c0ffee" })
    expect(s("deploy")?.effect).toBeUndefined()
    expect(state).toMatchObject({ deployed: 1, reconciled: 0 })
  })

  it.each([
    ["before", 1, undefined],
    ["after", 1, "reconciled: the effect had taken place"],
  ] as const)("that broke off %s are looked at by a resume", async (breaks, deployed, reason) => {
    const project = await temporaryProject()
    const { deploy, state } = world(breaks)
    const first = await runOne(deploy, { project })
    expect(first.step("deploy")).toMatchObject({ status: "errored", effect: "deploy:c0ffee" })
    state.breaks = "never"
    const second = await runOne(deploy, { project, resume: first.record.id })
    expect(second.step("deploy")).toMatchObject({ status: "success", output: { version: "1" } })
    expect(second.step("deploy")?.reason).toBe(reason)
    expect(state).toMatchObject({ deployed, reconciled: 1 })
  })

  it("that broke off are looked at before the next attempt, too", async () => {
    const { deploy, state } = world("after")
    const { step: s } = await runOne(retry(deploy, { attempts: 3, backoff: 1 }))
    expect(s("deploy")).toMatchObject({
      status: "success",
      attempts: 2,
      reason: "reconciled: the effect had taken place",
    })
    expect(state.deployed).toBe(1)
  })

  it("that are harmless to repeat are repeated", async () => {
    const project = await temporaryProject()
    let times = 0
    const s = step("tag", {
      engine: false,
      effect: { key: () => "tag", retry: { attempts: 1 }, reconcile: "repeat" },
      run: () => (++times === 1 ? infrastructure() : ok()),
    })
    const { record } = await runOne(s, { project })
    await runOne(s, { project, resume: record.id })
    expect(times).toBe(2)
  })

  it("are not done while it cannot be told whether they took place", async () => {
    let acted = 0
    const project = await temporaryProject()
    const s = step("a", {
      engine: false,
      effect: { key: () => "k", retry: { attempts: 1 }, reconcile: infrastructure },
      run: () => (acted++, infrastructure()),
    })
    const { record } = await runOne(s, { project })
    const second = await runOne(s, { project, resume: record.id })
    expect(second.step("a")).toMatchObject({ status: "errored", effect: "k" })
    expect(acted).toBe(1)
  })
})

describe("context", () => {
  it("has no Dagger session for a step that wants none", async () => {
    const s = step("a", { engine: false, run: ({ dag }) => Promise.resolve(void dag) })
    expect((await runOne(s)).step("a")).toMatchObject({ status: "errored", error: { code: "STEP-NO-ENGINE" } })
  })

  it("hands out the session, and asks it what its errors mean", async () => {
    const session = {
      open: () => Promise.resolve({ client: true } as never),
      classify: (error: unknown) =>
        (error as Error).message === "exit code 1"
          ? fault({ code: "EXEC", kind: "failed", message: "red" })
          : undefined,
      close: ok,
    }
    const s = step("a", { run: ({ dag }) => Promise.reject(new Error("client" in dag ? "exit code 1" : "no client")) })
    expect((await runOne(s, { session })).step("a")).toMatchObject({ status: "failed", error: { code: "EXEC" } })
  })

  it("has a scratch folder in the run that is gone afterwards, and none for who does not ask", async () => {
    let during: string[] = []
    const a = step("a", {
      engine: false,
      cache: false,
      async run({ scratch, run }) {
        during = (await readdir(run.dir)).filter((name) => join(run.dir, name) === scratch)
      },
    })
    const { dir } = await runOne(a)
    expect(during).toHaveLength(1)
    expect((await readdir(dir)).sort()).toEqual(["artifacts", "events.ndjson", "run.json", "steps"])
  })

  it("refuses a report that is none, and keeps one that is published before the step goes red", async () => {
    const bad = step("a", { engine: false, run: ({ publish }) => Promise.resolve(publish({ kind: "poem" } as never)) })
    expect((await runOne(bad)).step("a")).toMatchObject({ status: "errored", error: { code: "STEP-REPORT" } })
    const red = step("a", {
      engine: false,
      run({ publish }) {
        publish({ kind: "link", title: "t", url: "u" })
        return Promise.reject(fault({ code: "A-B", kind: "failed", message: "m" }))
      },
    })
    expect((await runOne(red)).step("a")).toMatchObject({ status: "failed", reports: [{ title: "t" }] })
  })

  it("hands an artifact to another step, which gets it only untouched", async () => {
    const { writeFile, chmod } = await import("node:fs/promises")
    const { Artifact } = await import("../../../core/artifacts.js")
    for (const tampered of [false, true]) {
      const a = step("a", {
        engine: false,
        output: Artifact,
        async run({ artifacts, run }) {
          const kept = await artifacts.put("image.tar", { text: "layers" })
          if (tampered) {
            await chmod(join(run.dir, kept.path), 0o644)
            await writeFile(join(run.dir, kept.path), "malware")
          }
          return kept
        },
      })
      const b = step("b", {
        engine: false,
        needs: { a },
        run: async ({ needs, artifacts }) => void (await artifacts.open(needs.a)),
      })
      const { step: s } = await runOne(b)
      if (tampered) expect(s("b")).toMatchObject({ status: "errored", error: { code: "ARTIFACT-TAMPERED" } })
      else expect(s("b")?.status).toBe("success")
    }
  })

  it("gives only the secrets that the step declares", async () => {
    let names: string[] = []
    const s = step("a", {
      engine: false,
      secrets: ["TOKEN"],
      run: ({ secrets }: Context<Needs, "TOKEN">) => {
        names = [...Object.keys(secrets), secrets.TOKEN.plaintext()]
        return ok()
      },
    })
    await runOne(s, { env: { TOKEN: "the-value", OTHER: "x" } })
    expect(names).toEqual(["TOKEN", "the-value"])
  })
})

describe("a step that may fail", () => {
  it("that errored leaves the run green", async () => {
    expect((await runOne(allowFailure(step("a", { engine: false, run: infrastructure })))).record.status).toBe(
      "success",
    )
  })
})
