import { afterEach, expect, it, vi } from "vitest"
import { lasting } from "../../../../environments/kubernetes/lasting.js"

afterEach(() => {
  vi.useRealTimers()
})

it("what is said once, or in between, is not believed; what is said for a moment is", () => {
  vi.useFakeTimers({ toFake: ["performance"] })
  const believed = lasting(3)
  const said: [number, string | undefined, string | undefined][] = [
    [0, "quota", undefined],
    [2, undefined, undefined],
    [2, "quota", undefined],
    [2, "quota", undefined],
    // In other words, about the same.
    [1, "exceeded quota", "exceeded quota"],
    [1, undefined, undefined],
    [9, "quota", undefined],
  ]
  for (const [later, word, expected] of said) {
    vi.advanceTimersByTime(later * 1000)
    expect(believed(word)).toBe(expected)
  }
})
