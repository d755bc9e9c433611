import { syncBuiltinESMExports } from "node:module"
import timers from "node:timers/promises"
import { afterEach, beforeEach, vi } from "vitest"

/**
 * In the tests of the file that calls it a wait (`setTimeout` of node:timers/promises) is over at once, and the clock is as much later.
 * A module mock would not do: files of one thread share their modules, and one that was loaded before keeps the real timers.
 */
export function withoutWaiting(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "setTimeout", "Date"] })
    vi.spyOn(timers, "setTimeout").mockImplementation(async (ms, value) => {
      await vi.advanceTimersByTimeAsync(ms ?? 0)
      return value as never
    })
    syncBuiltinESMExports()
  })
  afterEach(() => {
    vi.restoreAllMocks()
    syncBuiltinESMExports()
    vi.useRealTimers()
  })
}
