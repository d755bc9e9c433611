import { syncBuiltinESMExports } from "node:module"
import timersPromises from "node:timers/promises"
import { afterEach, beforeEach, vi } from "vitest"

const real = timersPromises.setTimeout
const waits = (wait: typeof real) => {
  Object.assign(timersPromises, { setTimeout: wait })
  syncBuiltinESMExports()
}

/**
 * In this file's tests time passes as fast as somebody waits, in waits of node:timers/promises as well, which vitest leaves alone. A
 * mocked module would not do: the files of a project share their modules.
 */
export function fastClock(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance", "setTimeout", "clearTimeout", "Date"] })
    waits(<T>(ms?: number, value?: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value as T), ms)))
  })
  afterEach(() => {
    waits(real)
    vi.useRealTimers()
  })
}

/** What comes of it, with the clock going on until then. */
export async function passing<T>(work: Promise<T>): Promise<T> {
  let over = false
  const end = () => void (over = true)
  work.then(end, end)
  while (!over) await vi.advanceTimersByTimeAsync(50)
  return work
}
