import { afterEach, describe, expect, test, vi } from "vitest"
import { readFault, withFault } from "../../src/fault.js"

const routes = [
  { pattern: "/ready", operational: true, handle: () => ({ body: { status: "ready" } }) },
  { pattern: "/api/products", handle: () => ({ body: "tea" }) },
]
const ask = async (all, pattern) => all.find((route) => route.pattern === pattern).handle({})
afterEach(() => vi.useRealTimers())

describe("a build that is bad on purpose", () => {
  test.each([
    ["", "prod", undefined],
    ["errors", "prod", { kind: "errors", seconds: 60 }],
    ["errors@prod", "prod", { kind: "errors", seconds: 60 }],
    ["errors@prod", "test", undefined],
    ["dies:5@uat", "uat", { kind: "dies", seconds: 5 }],
  ])("%s in %s", (text, environment, expected) => expect(readFault(text, environment)).toEqual(expected))

  test("names the kinds there are", () => expect(() => readFault("explode", "prod")).toThrow(/errors, slow, never-ready, dies/))

  test("a good one is left as it is", () => expect(withFault(undefined, routes)).toBe(routes))

  test("errors: every other request, and no probe", async () => {
    const bad = withFault({ kind: "errors" }, routes)
    await expect(ask(bad, "/api/products")).rejects.toMatchObject({ status: 500 })
    expect(await ask(bad, "/api/products")).toEqual({ body: "tea" })
    expect(await ask(bad, "/ready")).toEqual({ body: { status: "ready" } })
  })

  test("never-ready: only /ready", async () => {
    const bad = withFault({ kind: "never-ready" }, routes)
    expect(await ask(bad, "/ready")).toMatchObject({ status: 503 })
    expect(await ask(bad, "/api/products")).toEqual({ body: "tea" })
  })

  test("slow: answers, late", async () => {
    const bad = withFault({ kind: "slow" }, routes)
    const start = performance.now()
    expect(await ask(bad, "/api/products")).toEqual({ body: "tea" })
    expect(performance.now() - start).toBeGreaterThan(1400)
  })

  test("dies: after its time", () => {
    vi.useFakeTimers()
    const exit = vi.fn()
    withFault({ kind: "dies", seconds: 60 }, routes, exit)
    vi.advanceTimersByTime(59_000)
    expect(exit).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(exit).toHaveBeenCalledWith(70)
  })
})
