import { describe, expect, it } from "vitest"
import type { Verdict } from "../../../../environments/analysis/verdict.js"
import { releaseKey } from "../../../../environments/release.js"
import { a, b, failure, openWorld, quick, type World } from "./world.js"

/** An autoscaler is at work: how many instances there are is its affair. */
function autoscaled(world: World): World {
  const now = () => world.instances.filter((i) => i.weight > 0).length
  const wantedReplicas = (configured: number) => Promise.resolve(Math.max(configured, now()))
  const askPreview = () => Promise.resolve({ status: 200, text: "" })
  Object.assign(world.target, { elastic: true, wantedReplicas, askPreview })
  return world
}

async function scaleUp(world: World, count: number): Promise<void> {
  const more = await world.target.start(a, count, new AbortController().signal)
  await world.target.setWeights(new Map(more.map((i) => [i, 100])))
  world.moves.length = 0
}

const pass = (): Verdict => ({
  judgement: "pass",
  at: new Date().toISOString(),
  requests: { canary: 100, baseline: 100 },
  measures: [],
  reason: "",
})

describe("a rollout where an autoscaler sets the number", () => {
  it("gives green as many as blue has", async () => {
    const world = autoscaled(
      await openWorld({ replicas: 2, strategy: { kind: "blue-green", keepSeconds: 0, ...quick } }),
    )
    await world.deploy(a)
    await scaleUp(world, 3)
    expect((await world.deploy(a)).unchanged).toBe(true)
    await world.deploy(b)
    expect(world.moves).toContain("start 5 b")
    expect(world.state()).toBe("b:100 b:100 b:100 b:100 b:100")
  })

  it.each([
    ["does not bring back what the autoscaler took away", true],
    ["brings back what went where nobody else sets the number", false],
  ])("%s", async (_name, elastic) => {
    const steps = [{ percent: 25, seconds: 0.1 }]
    const plain = await openWorld({ replicas: 4, strategy: { kind: "canary", steps, ...quick } })
    const world = elastic ? autoscaled(plain) : plain
    await world.deploy(a)
    world.moves.length = 0
    let judged = 0
    const judge = () => {
      const at = world.instances.findIndex((i) => i.key === releaseKey(a))
      if (judged++ === 0) world.instances.splice(at, 1)
      return Promise.resolve(pass())
    }
    await world.deploy(b, { judge })
    expect(world.moves.some((move) => /^start \d a$/.test(move))).toBe(!elastic)
    expect(world.state()).toBe("b:100 b:100 b:100 b:100")
  })
})

describe("an instance of the new release that is taken away while it is watched", () => {
  async function losesOne(replaces: boolean) {
    const steps = [{ percent: 50, seconds: 0.1 }]
    const world = await openWorld({ replicas: 4, strategy: { kind: "canary", steps, ...quick } })
    Object.assign(world.target, { replaces })
    await world.deploy(a)
    let judged = 0
    const judge = () => {
      const at = world.instances.findIndex((i) => i.key === releaseKey(b))
      if (judged++ === 0) world.instances.splice(at, 1)
      return Promise.resolve(pass())
    }
    return { world, work: world.deploy(b, { judge }) }
  }

  it("is no fault of the release where the place brings another, and is there again in the end", async () => {
    const { world, work } = await losesOne(true)
    await work
    expect(world.state()).toBe("b:100 b:100 b:100 b:100")
  })

  it("was removed by somebody where nobody but us brings another", async () => {
    const { world, work } = await losesOne(false)
    expect(await failure(work)).toMatchObject({
      code: "ROLLOUT-UNFIT",
      reason: expect.stringMatching(/removed by somebody else/) as string,
    })
    expect(world.state()).toBe("a:100 a:100 a:100 a:100")
  })
})
