import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { describe, expect, it } from "vitest"
import type { Judgement } from "../../../../environments/analysis/verdict.js"
import type { EnvironmentInput } from "../../../../environments/environment.js"
import { releaseKey } from "../../../../environments/release.js"
import { readRollout } from "../../../../environments/strategies/state.js"
import { a, b, c, failure, openWorld, type World } from "./world.js"

const pace = { minReadySeconds: 0, drainSeconds: 0, graceSeconds: 0 }
const judged = { ...pace, analysis: { intervalSeconds: 0.01, windowSeconds: 0.01 }, pauseSeconds: 0 }
const step = (percent: number) => ({ percent, seconds: 0 })
const canary = (...percents: number[]): EnvironmentInput => ({
  replicas: 3,
  strategy: { kind: "canary", steps: percents.map(step), ...judged },
})
const blueGreen: EnvironmentInput = { replicas: 3, strategy: { kind: "blue-green", ...judged, keepSeconds: 0 } }
const rolling: EnvironmentInput = { replicas: 3, strategy: { kind: "rolling", ...pace } }

let world: World

/** A canary of `b` over `a` that pauses at its step `at`, counted from 0. */
async function pausedAt(at: number, settings: EnvironmentInput) {
  const verdicts: Judgement[] = [...Array<Judgement>(at).fill("pass"), "inconclusive"]
  world = await openWorld(settings, verdicts)
  await world.deploy(a)
  expect((await failure(world.deploy(b))).code).toBe("ROLLOUT-PAUSED")
  expect(await readRollout(world.target.notes)).toMatchObject({ phase: "paused", step: at })
  world.moves.length = 0
  world.least()
}

describe("a rollout whose environment is changed while it pauses", () => {
  it("still waits for a person when there are fewer steps than it has come", async () => {
    await pausedAt(2, canary(5, 25, 50))
    const again = await failure(world.deployWith(canary(5), b))
    expect(again.code).toBe("ROLLOUT-PAUSED")
    expect(world.state()).not.toMatch(/b:[1-9]/)
  })

  it("is taken back first when the strategy is another one: nothing is promoted by that", async () => {
    await pausedAt(1, canary(5, 25))
    await world.deployWith(rolling, b)
    expect(world.moves.indexOf("weights a-1:100 a-2:100 a-3:100 b-4:0")).toBeGreaterThanOrEqual(0)
    expect(world.state()).toBe("b:100 b:100 b:100")
    expect(await readRollout(world.target.notes)).toBeUndefined()
    // No note is left of it that would take the next release back to `a`.
    await world.deployWith(rolling, c)
    expect(world.state()).toBe("c:100 c:100 c:100")
    expect(world.lines.join("\n").match(/left half done/g)).toHaveLength(1)
  })

  it("has green checked on the preview when a canary becomes a blue-green one", async () => {
    await pausedAt(1, canary(5, 25))
    const preview = createServer((_, response) => response.end("hello"))
    await new Promise<void>((resolve) => preview.listen(0, "127.0.0.1", resolve))
    try {
      const { port } = preview.address() as AddressInfo
      Object.assign(world.target, { previewUrl: `http://127.0.0.1:${port}` })
      await world.deployWith(blueGreen, b)
    } finally {
      preview.close()
    }
    const first = (pattern: RegExp) => world.moves.findIndex((m) => pattern.test(m))
    expect(first(/^preview b/)).toBeGreaterThan(0)
    expect(first(/^weights.* b-\d:[1-9]|^weights b-\d:[1-9]/)).toBeGreaterThan(first(/^preview b/))
    expect(world.state()).toBe("b:100 b:100 b:100")
  })

  it("keeps as many of the release before as there shall be now", async () => {
    await pausedAt(0, canary(5))
    expect((await failure(world.deployWith({ ...canary(5), replicas: 4 }, b))).code).toBe("ROLLOUT-PAUSED")
    // The one that was missing is ready; it gets its traffic with the next move of it.
    expect(world.instances.filter((i) => i.key === releaseKey(a))).toHaveLength(4)
  })
})
