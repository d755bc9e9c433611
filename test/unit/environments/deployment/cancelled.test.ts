import { describe, expect, it } from "vitest"
import type { EnvironmentInput } from "../../../../environments/environment.js"
import { readRollout } from "../../../../environments/strategies/state.js"
import { a, b, failure, openWorld, quick } from "../strategies/world.js"

const canary: EnvironmentInput = {
  replicas: 2,
  strategy: { kind: "canary", steps: [{ percent: 50, seconds: 5 }], ...quick },
}
const whole = "a:100 a:100"

describe("a deployment that is cancelled", () => {
  it("goes back, says so, and leaves nothing half done", async () => {
    const world = await openWorld(canary)
    await world.deploy(a)
    const cancel = new AbortController()
    const judge = () => {
      cancel.abort(new Error("cancelled"))
      return Promise.reject(new Error("nobody listens any more"))
    }
    expect(await failure(world.deploy(b, { signal: cancel.signal, judge }))).toMatchObject({
      code: "DEPLOY-CANCELLED",
      kind: "cancelled",
      reason: expect.stringMatching(/serves again, whole/) as string,
    })
    expect(world.state()).toBe(whole)
    expect(await readRollout(world.target.notes)).toBeUndefined()
  })

  it("before it has begun starts nothing", async () => {
    const world = await openWorld(canary)
    await world.deploy(a)
    world.moves.length = 0
    const reason = new Error("cancelled")
    await expect(world.deploy(b, { signal: AbortSignal.abort(reason) })).rejects.toBe(reason)
    expect([world.state(), world.moves]).toEqual([whole, []])
  })

  it("on a place that rolls by its own means hands it no release after that", async () => {
    const world = await openWorld({ replicas: 2, strategy: { kind: "rolling", minReadySeconds: 0 } })
    await world.deploy(a)
    const cancel = new AbortController()
    const rolled: string[] = []
    const { describe: all } = world.target
    Object.assign(world.target, {
      roll: ({ release }: { release: { commit: string } }) => Promise.resolve(void rolled.push(release.commit)),
      // The last that is asked before.
      describe: () => {
        cancel.abort(new Error("cancelled"))
        return all()
      },
    })
    expect(await failure(world.deploy(b, { signal: cancel.signal }))).toMatchObject({ code: "DEPLOY-CANCELLED" })
    expect(rolled).toEqual(["a"])
  })
})
