import { afterEach, beforeEach, expect, it, vi } from "vitest"
import { isQuota } from "../../../../clients/kubernetes/index.js"
import { lasting } from "../../../../environments/kubernetes/lasting.js"
import { isRefusal } from "../../../../environments/kubernetes/not-made.js"

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["performance"] })
})
afterEach(() => {
  vi.useRealTimers()
})

const quota = 'pods "web-1" is forbidden: exceeded quota: tight, requested: pods=1, used: pods=2, limited: pods=2'
const policy = 'pods "web-1" is forbidden: violates PodSecurity "restricted:latest": runAsNonRoot != true'
const webhook = 'Internal error occurred: failed calling webhook "policy.example.com": context deadline exceeded'
const slow = "etcdserver: request timed out"

it.each([
  ["a quota", quota, true, true],
  ["a policy", policy, true, false],
  ["a webhook that rejects", 'admission webhook "p" denied the request: no', true, false],
  ["a webhook that cannot be asked", webhook, false, false],
  ["a quota that was just made", 'pods "web-1" is forbidden: status unknown for quota: tight', false, false],
  ["a store that is slow", slow, false, false],
])("%s", (_, said, refusal, isOne) => {
  expect(isRefusal(said)).toBe(refusal)
  expect(isQuota(said)).toBe(isOne)
})

it("a refusal that is said once, or in between, is not believed; one that is said for a moment is", () => {
  const believed = lasting()
  const looks: [later: number, said: string | undefined, expected: string | undefined][] = [
    [0, quota, undefined],
    [2, undefined, undefined],
    [2, quota, undefined],
    [2, quota, undefined],
    [1, policy, policy],
    [1, undefined, undefined],
    [9, quota, undefined],
  ]
  for (const [later, said, expected] of looks) {
    vi.advanceTimersByTime(later * 1000)
    expect(believed(said)).toBe(expected)
  }
})

it("what may pass by itself is waited out for a minute", () => {
  const believed = lasting()
  expect(believed(webhook)).toBeUndefined()
  vi.advanceTimersByTime(59_000)
  expect(believed(slow)).toBeUndefined()
  vi.advanceTimersByTime(1_000)
  expect(believed(webhook)).toBe(webhook)
})
