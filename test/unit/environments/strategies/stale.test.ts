import { describe, expect, it } from "vitest"
import { canTakeAll } from "../../../../environments/deployment/back.js"
import { stableRelease } from "../../../../environments/deployment/deploy.js"
import type { EnvironmentInput } from "../../../../environments/environment.js"
import { releaseKey, type ReleaseSpec } from "../../../../environments/release.js"
import { readRefusals, readRollout } from "../../../../environments/strategies/state.js"
import { shares } from "../../../../environments/strategies/shares.js"
import type { Instance } from "../../../../environments/target.js"
import { a, b, back as rollBackTo, c, openWorld, quick, type World } from "./world.js"

const canary: EnvironmentInput = {
  replicas: 3,
  strategy: { kind: "canary", steps: [{ percent: 30, seconds: 0 }], ...quick },
}
let world: World

const back = (to: ReleaseSpec) => rollBackTo(world, to, canary)
const instance = (release: ReleaseSpec, slot: number, weight: number, healthy = true): Instance => ({
  id: `${slot}`,
  name: `web-${slot}`,
  slot,
  key: releaseKey(release),
  release,
  state: "running",
  weight,
  healthy,
  restarts: 0,
})

describe("after a process that was killed", () => {
  it("a rollback that nobody wrote down is no reason to skip the canary, or to go back to what was rolled back", async () => {
    world = await openWorld(canary)
    await world.deploy(a)
    await world.deploy(b)
    // All moves of the rollback took place; the process was killed before the history said so.
    const describeAll = world.target.describe.bind(world.target)
    Object.assign(world.target, {
      describe: async () => {
        const all = await describeAll()
        if (all.every((i) => i.key === releaseKey(a) && i.weight > 0)) throw new Error("killed")
        return all
      },
    })
    await expect(back(a)).rejects.toThrow(/killed/)
    Object.assign(world.target, { describe: describeAll })
    expect(world.state()).toBe("a:100 a:100 a:100")
    world.moves.length = 0
    const failed = world.deploy(c, {
      judge: () =>
        Promise.resolve({
          judgement: "fail",
          at: "2026",
          requests: { canary: 9, baseline: 9 },
          measures: [],
          reason: "bad",
        }),
    })
    await expect(failed).rejects.toMatchObject({ code: "ROLLOUT-UNFIT" })
    expect(world.moves.filter((m) => m.startsWith("start"))).toEqual(["start 1 c"])
    expect(world.state()).toBe("a:100 a:100 a:100")
  })

  it("one last instance of the release before does not take all the traffic alone", async () => {
    for (let order = 1; ; order++) {
      world = await openWorld(canary)
      await world.deploy(a)
      world.least()
      world.dieAt(order)
      await world.deploy(b).catch(() => undefined)
      if (!world.takeOver()) break
      // Another release is wanted now: half done, at the end, of what is left of `a` not all may be whole.
      await world.deploy(c)
      expect(world.least(), `killed at order ${order}: ${world.moves.join(", ")}`).toBeGreaterThanOrEqual(2)
      expect(world.state()).toBe("c:100 c:100 c:100")
    }
  })
})

describe("a rollback while a rollout pauses", () => {
  it("further back than the release before leaves the new one at once", async () => {
    world = await openWorld({ ...canary, strategy: { ...canary.strategy, pauseSeconds: 60 } as never })
    await world.deploy(c)
    await world.deploy(a)
    await expect(
      world.deploy(b, { judge: () => Promise.reject(new Error("killed while it has its share")) }),
    ).rejects.toThrow()
    world = await half(b)
    world.moves.length = 0
    world.behave(releaseKey(c), "dies")
    await expect(back(c)).rejects.toMatchObject({
      code: "DEPLOY-DIED",
      reason: expect.stringMatching(
        /The rollback did not take place. sha256:a with config .* serves, on web-1, web-2, web-3/,
      ),
    })
    expect(world.state()).not.toMatch(/b:[1-9]/)
    expect(world.moves.find((m) => m.startsWith("weights"))).toMatch(/^weights a-1:100 a-2:100 a-3:100 b-4:0/)
  })

  it("to the new one itself gives it everything when it is whole, not before", async () => {
    world = await half(b)
    world.least()
    await back(b)
    expect(world.least()).toBeGreaterThanOrEqual(3)
    expect(world.state()).toBe("b:100 b:100 b:100")
    expect(await readRollout(world.target.notes)).toBeUndefined()
  })

  it("to a release that was taken back once lifts that", async () => {
    world = await openWorld(canary)
    await world.deploy(a)
    await world.deploy(b)
    await back(a)
    expect((await readRefusals(world.target.notes)).map((r) => r.key)).toEqual([releaseKey(b)])
    await back(b)
    expect((await readRefusals(world.target.notes)).map((r) => r.key)).toEqual([releaseKey(a)])
    expect((await world.deploy(b)).unchanged).toBe(true)
  })
})

/** A canary of a release over `a`, whose process was killed when it had its share. */
async function half(release: ReleaseSpec): Promise<World> {
  const made = await openWorld(canary)
  await made.deploy(a)
  await made
    .deploy(release, {
      judge: () => {
        made.dieAt(1)
        return Promise.reject(new Error("killed"))
      },
    })
    .catch(() => undefined)
  made.takeOver()
  return made
}

describe("what to go back to, from what runs", () => {
  const of = (last: ReleaseSpec | undefined, refused: readonly ReleaseSpec[], ...all: Instance[]) =>
    stableRelease(all, last, releaseKey(c), new Set(refused.map(releaseKey)))?.commit
  it.each([
    ["nothing ran", of(undefined, []), undefined],
    ["what last ran whole", of(a, [], instance(a, 1, 100)), "a"],
    ["it, though another one was begun", of(a, [], instance(a, 1, 100), instance(b, 2, 100)), "a"],
    ["it, though nothing of it is up", of(a, []), "a"],
    ["what has the traffic in its place", of(b, [], instance(a, 1, 100)), "a"],
    ["not what was taken back, while the other serves", of(b, [b], instance(b, 1, 100), instance(a, 2, 100)), "a"],
    ["what was taken back, when there is nothing else", of(b, [b], instance(b, 1, 100)), "b"],
  ])("%s", async (_, found, expected) => {
    world = await openWorld(canary)
    expect(found).toBe(expected)
  })
})

describe("whether some instances can take all the traffic", () => {
  it.each([
    ["none cannot", 0, 0, 3, true, false],
    ["all can", 3, 0, 3, false, true],
    ["two of three cannot, where nothing is wrong with the others", 2, 0, 3, false, false],
    ["two of three can, to leave a bad one", 2, 0, 3, true, true],
    ["one of three cannot", 1, 0, 3, true, false],
    ["one of three can, when most of the traffic is its own", 1, 300, 3, true, true],
  ])("%s", async (_, able, weight, replicas, left, expected) => {
    world = await openWorld(canary)
    const mine = Array.from({ length: able }, (__, i) => instance(a, i + 1, weight))
    const others = [instance(b, 8, 100), instance(b, 9, 100)]
    expect(canTakeAll(mine, [...mine, ...others], { replicas, left })).toBe(expected)
  })
})

describe("a release whose instances die as soon as they are started", () => {
  it("ends a rolling deployment: it is not started over and over again", async () => {
    world = await openWorld({ replicas: 2, strategy: { kind: "rolling", minReadySeconds: 0 } })
    await world.deploy(a)
    world.behave(releaseKey(b), "dies")
    await expect(world.deploy(b)).rejects.toMatchObject({ code: "DEPLOY-DIED" })
    expect(world.moves.filter((m) => m.startsWith("start"))).toEqual(["start 2 a", "start 1 b"])
    expect(world.state()).toBe("a:100 a:100")
  })
})

describe("a share of the traffic", () => {
  it("is all of it where the other side has no instance: users never reach nobody", async () => {
    world = await openWorld(canary)
    expect(shares(0, 1, 0)).toEqual({ canary: 100, stable: 0 })
    expect(shares(0, 1, 1)).toEqual({ canary: 0, stable: 100 })
    expect(shares(50, 0, 1)).toEqual({ canary: 0, stable: 100 })
  })
})
