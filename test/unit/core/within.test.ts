import { getEventListeners } from "node:events"
import { describe, expect, it } from "vitest"
import { TimeoutError, within } from "../../../core/within.js"

const never = () => new Promise<never>(() => undefined)

describe("work within a time", () => {
  it("hands on what the work answers or throws", async () => {
    expect(await within(1000, undefined, () => Promise.resolve(7))).toBe(7)
    await expect(within(1000, undefined, () => Promise.reject(new Error("no")))).rejects.toThrow("no")
  })

  it("ends work that heeds its signal, and work that does not", async () => {
    const reasons: unknown[] = []
    const heeds = (signal: AbortSignal) =>
      new Promise<never>((_, reject) => {
        signal.addEventListener("abort", () => {
          reasons.push(signal.reason)
          reject(new Error("what a library makes of it"))
        })
      })
    await expect(within(10, undefined, heeds)).rejects.toThrow(new TimeoutError("no answer within 10 ms"))
    await expect(within(10, undefined, never)).rejects.toMatchObject({ code: "ETIMEDOUT" })
    expect(reasons).toEqual([expect.any(TimeoutError)])
  })

  it("ends with the reason of the signal that it was given, and leaves nothing on it", async () => {
    const outer = new AbortController()
    const works = within(60_000, outer.signal, never)
    outer.abort(new Error("interrupted"))
    await expect(works).rejects.toThrow("interrupted")
    await expect(within(60_000, outer.signal, () => Promise.resolve(1))).rejects.toThrow("interrupted")
    const other = new AbortController()
    await within(1000, other.signal, () => Promise.resolve(1))
    expect(getEventListeners(other.signal, "abort")).toEqual([])
  })
  it("goes on many times at once with one signal, without Node's warning of a leak", async () => {
    const warned: Error[] = []
    const listen = (warning: Error) => warned.push(warning)
    process.on("warning", listen)
    const { signal } = new AbortController()
    await Promise.all(Array.from({ length: 30 }, () => within(1000, signal, () => new Promise(setImmediate))))
    // Warnings are told in a later turn.
    await new Promise(setImmediate)
    process.off("warning", listen)
    expect(warned).toEqual([])
  })
})
