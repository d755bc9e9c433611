import { describe, expect, it, vi } from "vitest"
import { createScope } from "../../../core/scope.js"
import { thrown } from "./rig.js"

const never = new Promise<never>(() => {})

describe("createScope", () => {
  it("answers what the work answers and passes on its error", async () => {
    const scope = createScope(undefined, "a")
    expect(await scope.race(Promise.resolve(1))).toBe(1)
    expect(await thrown(() => scope.race(Promise.reject(new Error("no"))))).toMatchObject({ message: "no" })
    expect(scope.timedOut()).toBeUndefined()
    scope.end()
  })

  it("hands the parent's abort on with its reason, also when it came before", async () => {
    const parent = new AbortController()
    const before = createScope(parent.signal, "a", 0)
    parent.abort(new Error("stop"))
    const after = createScope(parent.signal, "a", 0)
    for (const scope of [before, after]) {
      expect((scope.signal.reason as Error).message).toBe("stop")
      expect(await thrown(() => scope.race(never))).toMatchObject({ message: "stop" })
    }
  })

  it("lets work that stops in time say how it ended", async () => {
    const parent = new AbortController()
    const scope = createScope(parent.signal, "a", 60_000)
    const work = new Promise((resolve) => scope.signal.addEventListener("abort", () => resolve("cleaned up")))
    const raced = scope.race(work)
    parent.abort()
    expect(await raced).toBe("cleaned up")
  })

  it("does not wait longer than the grace for work that ignores the signal", async () => {
    vi.useFakeTimers()
    try {
      const parent = new AbortController()
      const scope = createScope(parent.signal, "a", 10_000)
      const raced = thrown(() => scope.race(never))
      parent.abort(new Error("stop"))
      await vi.advanceTimersByTimeAsync(9_999)
      expect(vi.getTimerCount()).toBe(1)
      await vi.advanceTimersByTimeAsync(1)
      expect(await raced).toMatchObject({ message: "stop" })
    } finally {
      vi.useRealTimers()
    }
  })

  it("leaves no timer and no listener behind", async () => {
    vi.useFakeTimers()
    try {
      const parent = new AbortController()
      const scope = createScope(parent.signal, "a", 10_000)
      scope.limit(5_000)
      await scope.race(Promise.resolve())
      await scope.race(Promise.resolve())
      scope.end()
      parent.abort()
      expect(vi.getTimerCount()).toBe(0)
      expect(scope.signal.aborted).toBe(false)
    } finally {
      vi.useRealTimers()
    }
  })

  it("aborts when its time is over: errored, with the step's name", async () => {
    const scope = createScope(undefined, "catalog.scan", 0)
    scope.limit(1)
    expect(await thrown(() => scope.race(never))).toMatchObject({
      code: "STEP-TIMEOUT",
      kind: "errored",
      message: "catalog.scan did not end within 0.001 s",
    })
    expect(scope.timedOut()?.code).toBe("STEP-TIMEOUT")
  })

  it("is not timed out when it had been cancelled before", async () => {
    vi.useFakeTimers()
    try {
      const parent = new AbortController()
      const scope = createScope(parent.signal, "a", 60_000)
      scope.limit(1_000)
      parent.abort()
      await vi.advanceTimersByTimeAsync(2_000)
      expect(scope.timedOut()).toBeUndefined()
      scope.end()
    } finally {
      vi.useRealTimers()
    }
  })

  it("takes a very long limit as it is meant (setTimeout would fire at once)", async () => {
    vi.useFakeTimers()
    try {
      const scope = createScope(undefined, "a")
      scope.limit(365 * 24 * 3600 * 1000)
      await vi.advanceTimersByTimeAsync(24 * 3600 * 1000)
      expect(scope.signal.aborted).toBe(false)
      scope.end()
    } finally {
      vi.useRealTimers()
    }
  })
})
