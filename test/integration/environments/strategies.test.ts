import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { isFault } from "../../../core/errors.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { openLab, until, type Lab } from "./lab.js"
import { load, type Load } from "./load.js"

/** Each strategy on the real HAProxy, judged by the real Prometheus, forwards and back, with users who ask all the time. */
const least = 10_000
const pace = { minReadySeconds: 0.2, drainSeconds: 5, graceSeconds: 5 }
const analysis = { intervalSeconds: 1, windowSeconds: 5, minRequests: 20 }
const environments: Record<string, EnvironmentInput> = {
  blue: { replicas: 2, strategy: { kind: "blue-green", ...pace, keepSeconds: 300, watchSeconds: 2, analysis } },
  canary: {
    replicas: 3,
    strategy: {
      kind: "canary",
      steps: [
        { percent: 10, seconds: 3 },
        { percent: 50, seconds: 3 },
      ],
      testers: { name: "X-Shop-Tester", value: "yes" },
      pauseSeconds: 0,
      analysis,
      ...pace,
    },
  },
}
let lab: Lab
let one: ReleaseSpec
let two: { reference: string; digest: string }
const v2 = (env: Record<string, string> = {}, over: Partial<ReleaseSpec> = {}) =>
  lab.release(two, { env: { VERSION: "v2", ...env }, ...over })

beforeAll(async () => {
  lab = await openLab(environments)
  one = lab.release(await lab.image("one"))
  two = await lab.image("two")
})
afterAll(() => lab.close())

/** Users of an environment in which the first release runs. */
async function users(environment: string): Promise<Load> {
  await lab.deploy(one, { environment })
  lab.lines.length = 0
  const traffic = load((await lab.target(environment)).url, { connections: 16, most: 60_000 })
  await until(() => traffic.count() > 200, 20)
  return traffic
}
const enough = (traffic: Load) => until(() => traffic.count() >= least, 120)
const fail = async (work: Promise<unknown>) => {
  const error: unknown = await work.catch((e: unknown) => e)
  if (!isFault(error)) throw new Error(`no fault: ${String(error)}\n${lab.lines.join("\n")}`)
  return error
}

describe("blue-green", () => {
  it("switches to green and back to blue without a failed request", async () => {
    const traffic = await users("blue")
    await lab.deploy(v2(), { environment: "blue" })
    const target = await lab.target("blue")
    expect((await target.describe()).map((i) => i.weight)).toEqual([0, 0, 100, 100])
    expect((await lab.deploy(v2(), { environment: "blue" })).unchanged).toBe(true)
    const started = performance.now()
    await lab.rollBack("blue")
    console.log(`back at blue after ${((performance.now() - started) / 1000).toFixed(2)} s`, lab.lines)
    await enough(traffic)
    const result = await traffic.stop()
    expect(result.failures).toEqual([])
    expect(result.total).toBeGreaterThanOrEqual(least)
    expect(result.versions["v2"]).toBeGreaterThan(0)
  })
})

describe("canary", () => {
  it("gets to 100 % without a failed request", async () => {
    const traffic = await users("canary")
    await lab.deploy(v2(), { environment: "canary" })
    await enough(traffic)
    const result = await traffic.stop()
    console.log(lab.lines)
    expect(result.failures).toEqual([])
    expect(result.total).toBeGreaterThanOrEqual(least)
    expect((await (await lab.target("canary")).describe()).map((i) => [i.release.env["VERSION"], i.weight])).toEqual(
      Array.from({ length: 3 }, () => ["v2", 100]),
    )
  })
})
