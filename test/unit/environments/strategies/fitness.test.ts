import { describe, expect, it } from "vitest"
import { releaseKey, type ReleaseSpec } from "../../../../environments/release.js"
import { watchFitness } from "../../../../environments/strategies/fitness.js"
import { sidesOf } from "../../../../environments/strategies/traffic.js"
import type { Instance } from "../../../../environments/target.js"
import { a, b } from "./world.js"

const instance = (release: ReleaseSpec, id: string, over: Partial<Instance> = {}): Instance => ({
  id,
  name: id,
  slot: 1,
  key: releaseKey(release),
  release,
  state: "running",
  weight: 0,
  healthy: true,
  restarts: 0,
  ...over,
})
const good = (id: string) => instance(b, id, { weight: 100 })
const ill = (id: string, over: Partial<Instance> = {}) => instance(b, id, { healthy: false, check: "503", ...over })
const old = instance(a, "old", { weight: 100 })
const oldIll = instance(a, "old", { healthy: false })

/** What runs from a second on, until the next. */
type Story = readonly (readonly [second: number, instances: readonly Instance[]])[]

/** Watches a story, four looks a second, to its end. @returns when an instance is found not fit, and why */
function told(story: Story, { replaces = true, until = 300 } = {}): string | undefined {
  const watch = watchFitness({ startupSeconds: 60 }, { replaces })
  for (let second = 0; second <= until; second += 0.25) {
    const [, instances = []] = story.findLast(([from]) => from <= second) ?? []
    const found = watch(sidesOf(instances, releaseKey(b), releaseKey(a)), second * 1000)
    if (found !== undefined) return `${second}: ${found.instance.id}: ${found.why}`
  }
  return undefined
}

describe("an instance of the new release", () => {
  const starting = ill("new", { preparing: true })
  it.each<[string, string | undefined, Story]>([
    ["may be well all the time", undefined, [[0, [old, good("one")]]]],
    [
      "may fail its check for a moment",
      undefined,
      [
        [0, [good("one")]],
        [1, [ill("one")]],
        [5.5, [good("one")]],
      ],
    ],
    [
      "may not for longer, once it was well",
      "6: one: it fails its health check for 5 s (503)",
      [
        [0, [good("one")]],
        [1, [ill("one")]],
      ],
    ],
    [
      "may not though this watch never saw it well: it has traffic",
      "5: one: it fails its health check for 5 s (503)",
      [[0, [ill("one", { weight: 100 })]]],
    ],
    [
      "has its time when the autoscaler brings it",
      undefined,
      [
        [0, [good("one")]],
        [1, [good("one"), ill("new")]],
        [55, [good("one"), good("new")]],
      ],
    ],
    [
      "has that from when something of it runs",
      undefined,
      [
        [0, [good("one")]],
        [1, [starting]],
        [100, [ill("new")]],
        [155, [good("new")]],
      ],
    ],
    ["may wait for a place to run as long as it takes", undefined, [[0, [starting, good("one")]]]],
    [
      "may not take longer to become ready",
      "61: new: it is not ready 60 s after it was started (503)",
      [
        [0, [good("one")]],
        [1, [good("one"), ill("new")]],
      ],
    ],
    [
      "that has become ready in time is to stay so",
      "26: new: it fails its health check for 5 s (503)",
      [
        [0, [ill("new")]],
        [20, [good("new")]],
        [21, [ill("new")]],
      ],
    ],
    [
      "may not die",
      "1: one: it died (exit code 7)",
      [
        [0, [good("one")]],
        [1, [ill("one", { state: "dead", exit: { code: 7, outOfMemory: false } })]],
      ],
    ],
    [
      "may not die while it starts",
      "2: new: it died and was started again",
      [
        [0, [good("one")]],
        [1, [ill("new")]],
        [2, [ill("new", { restarts: 1 })]],
      ],
    ],
  ])("%s", (_, expected, story) => {
    expect(told(story)).toBe(expected)
  })

  it("that the place took away is missing until another has come, which has its time", () => {
    const story: Story = [
      [0, [old, good("one"), good("two")]],
      [1, [old, good("two")]],
      [2, [old, good("two"), ill("three", { preparing: true })]],
      [10, [old, good("two"), ill("three")]],
      [40, [old, good("two"), good("three")]],
    ]
    expect(told(story)).toBeUndefined()
    expect(told([...story, [50, [old, good("two"), ill("three")]]])).toBe(
      "55: three: it fails its health check for 5 s (503)",
    )
  })

  it("that is gone where the place brings no other was removed by somebody", () => {
    const story: Story = [
      [0, [good("one"), good("two")]],
      [1, [good("two")]],
    ]
    expect(told(story, { replaces: false })).toBe("1: one: it was removed by somebody else")
  })
})

describe("while an instance of the release before is unwell, too", () => {
  it.each<[string, string | undefined, Story]>([
    [
      "the place is in trouble",
      undefined,
      [
        [0, [old, good("one")]],
        [1, [oldIll, ill("one")]],
        [60, [old, good("one")]],
      ],
    ],
    [
      "also when it is so a little later",
      undefined,
      [
        [0, [old, good("one")]],
        [1, [old, ill("one")]],
        [5, [oldIll, ill("one")]],
        [60, [old, ill("one")]],
        [64, [old, good("one")]],
      ],
    ],
    [
      "the count begins when that one is well again",
      "64.75: one: it fails its health check for 64 s (503)",
      [
        [0, [old, good("one")]],
        [1, [oldIll, ill("one")]],
        [60, [old, ill("one")]],
      ],
    ],
    [
      "one that starts is not judged either",
      undefined,
      [
        [0, [old, ill("new")]],
        [59, [oldIll, ill("new")]],
        [70, [old, ill("new")]],
        [125, [old, good("new")]],
      ],
    ],
    [
      "that holds for two minutes, not for ever",
      "126: one: it fails its health check for 125 s (503)",
      [
        [0, [old, good("one")]],
        [1, [oldIll, ill("one")]],
      ],
    ],
    [
      "one that never was well excuses nobody",
      "6: one: it fails its health check for 5 s (503)",
      [
        [0, [oldIll, good("one")]],
        [1, [oldIll, ill("one")]],
      ],
    ],
    [
      "one that died excuses nobody",
      "1: one: it died (exit code 7)",
      [
        [0, [old, good("one")]],
        [1, [oldIll, ill("one", { state: "dead", exit: { code: 7, outOfMemory: false } })]],
      ],
    ],
  ])("%s", (_, expected, story) => {
    expect(told(story)).toBe(expected)
  })
})
