import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { load, type Load } from "../../integration/environments/load.js"
import { until } from "../../integration/environments/lab.js"
import { judged } from "../judged.js"
import { openRig, type Rig } from "../rig.js"

/** Blue-green and canary on pods behind a port of the node, which takes no weights: a canary has its share of the pods. */
const least = 10_000
const pace = { minReadySeconds: 0, drainSeconds: 5, graceSeconds: 5 }
const analysis = { intervalSeconds: 1, windowSeconds: 2 }
const blueGreen: EnvironmentInput = {
  replicas: 2,
  strategy: { kind: "blue-green", ...pace, keepSeconds: 300, pauseSeconds: 0, checkTimes: 2 },
}
const canary: EnvironmentInput = {
  replicas: 3,
  strategy: {
    kind: "canary",
    steps: [
      { percent: 25, seconds: 3 },
      { percent: 50, seconds: 2 },
    ],
    pauseSeconds: 0,
    analysis,
    ...pace,
  },
}

let rig: Rig
let one: ReleaseSpec
let two: ReleaseSpec
beforeAll(async () => {
  rig = await openRig()
  one = rig.release(await rig.image("one"))
  const image = await rig.image("two")
  two = rig.release(image, { env: { VERSION: "v2" } })
})
afterAll(() => rig.close())

const versions = async () =>
  (await (await rig.target()).describe()).map((i) => `${i.release.env["VERSION"]}:${i.weight}`)
async function users(input: EnvironmentInput): Promise<Load> {
  await rig.deploy(one, { input: { ...input, strategy: { kind: "rolling", ...pace } } })
  rig.lines.length = 0
  const { url } = await rig.target("web", input)
  const traffic = load(url, { connections: 12, most: 200_000, methods: ["GET"], keepAlive: false })
  await until(() => traffic.count() > 100, 60)
  return traffic
}
const failure = (work: Promise<unknown>) => rig.failure(work)

describe("blue-green", () => {
  it("switches to green and back to blue without a failed request", async () => {
    const traffic = await users(blueGreen)
    await rig.deploy(two, { input: blueGreen })
    expect((await versions()).sort()).toEqual(["v1:0", "v1:0", "v2:100", "v2:100"])
    expect((await rig.deploy(two, { input: blueGreen })).unchanged).toBe(true)
    const started = performance.now()
    await rig.rollBack("web", blueGreen)
    console.log(`back at blue after ${((performance.now() - started) / 1000).toFixed(2)} s`, rig.lines)
    await until(() => traffic.count() >= least, 120)
    const result = await traffic.stop()
    expect(result.failures).toEqual([])
    expect(result.versions["v2"]).toBeGreaterThan(0)
    expect(await versions()).toEqual(["v1:100", "v1:100"])
  })

  it("is not shown to users when it fails its check on the preview address", async () => {
    const traffic = await users(blueGreen)
    const input: EnvironmentInput = {
      ...blueGreen,
      strategy: { ...blueGreen.strategy, kind: "blue-green", checks: [{ path: "/", contains: "something else" }] },
    }
    const error = await failure(rig.deploy(two, { input, approved: { by: "Lin", at: new Date().toISOString() } }))
    expect(error.code).toBe("ROLLOUT-PREVIEW")
    const result = await traffic.stop()
    expect(result.failures).toEqual([])
    expect(Object.keys(result.versions)).toEqual(["v1"])
    expect(await versions()).toEqual(["v1:100", "v1:100"])
  })
})

describe("canary by shares of pods", () => {
  it("gets to 100 % without a failed request", async () => {
    const traffic = await users(canary)
    const approved = { by: "Lin", at: new Date().toISOString() }
    await rig.deploy(two, { input: canary, judge: judged("pass"), approved })
    await until(() => traffic.count() >= least, 120)
    const result = await traffic.stop()
    console.log(rig.lines)
    expect(result.failures).toEqual([])
    expect(result.versions["v2"]).toBeGreaterThan(0)
    expect(await versions()).toEqual(["v2:100", "v2:100", "v2:100"])
  })

  it("goes back when it is not good enough, and when it dies", async () => {
    const traffic = await users(canary)
    const approved = { by: "Lin", at: new Date(Date.now() + 60_000).toISOString() }
    const error = await failure(rig.deploy(two, { input: canary, judge: judged("fail"), approved }))
    expect(error).toMatchObject({ code: "ROLLOUT-UNFIT", kind: "failed" })
    expect(await versions()).toEqual(["v1:100", "v1:100", "v1:100"])
    // It gets ready on a busy machine, too, and dies while its first step is watched.
    const dying = { ...two, env: { VERSION: "v2", EXIT_AFTER_MS: "8000" } }
    const watched = {
      ...canary,
      strategy: { ...canary.strategy, steps: [{ percent: 25, seconds: 30 }] },
    } as EnvironmentInput
    const death = await failure(
      rig.deploy(rig.release(dying, { env: dying.env }), { input: watched, judge: judged("pass"), approved }),
    )
    expect(death.code).toBe("ROLLOUT-UNFIT")
    expect(death.reason).toMatch(/it died[^]*giving up: no such table/)
    expect(await versions()).toEqual(["v1:100", "v1:100", "v1:100"])
    await traffic.stop()
  })
})
