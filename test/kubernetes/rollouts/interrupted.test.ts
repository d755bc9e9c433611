import { execa } from "execa"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { readRollout } from "../../../environments/strategies/state.js"
import { killedWhen } from "../../integration/environments/deployer-process.js"
import { load } from "../../integration/environments/load.js"
import { until, versionsServing } from "../../integration/environments/lab.js"
import { judged } from "../judged.js"
import { openRig, type Rig } from "../rig.js"

/** The deployer is killed at some moment of a rollout; users ask all the time, and another process carries on. */
const pace = { minReadySeconds: 0, drainSeconds: 5, graceSeconds: 5 }
const inputs = {
  rolling: { replicas: 2, strategy: { kind: "rolling", ...pace } },
  blue: { replicas: 2, strategy: { kind: "blue-green", ...pace, pauseSeconds: 2, keepSeconds: 300 } },
  canary: {
    replicas: 2,
    strategy: {
      kind: "canary",
      steps: [{ percent: 50, seconds: 3 }],
      pauseSeconds: 2,
      analysis: { intervalSeconds: 1, windowSeconds: 2 },
      ...pace,
    },
  },
} satisfies Record<string, EnvironmentInput>
type Name = keyof typeof inputs

let rig: Rig
let one: ReleaseSpec
let two: ReleaseSpec
beforeAll(async () => {
  rig = await openRig()
  one = rig.release(await rig.image("one"))
  two = rig.release(await rig.image("two"), { env: { VERSION: "v2" } })
})
afterAll(() => rig.close())

const serving = async (name: Name) => versionsServing(await rig.target("web", inputs[name]))

async function users(name: Name) {
  await rig.deploy(one, { input: { ...inputs[name], strategy: { kind: "rolling", ...pace } } })
  const target = await rig.target("web", inputs[name])
  await target.notes.write("refused", undefined)
  expect(await serving(name)).toEqual(["v1", "v1"])
  const traffic = load(target.url, { methods: ["GET"], connections: 6, most: 100_000, keepAlive: false })
  await until(() => traffic.count() > 50, 60)
  return traffic
}

const start = (name: Name, release: ReleaseSpec) => {
  const order = { project: rig.project, input: rig.complete(inputs[name]), release }
  return execa("node", ["test/kubernetes/deployer.mjs", JSON.stringify(order)], {
    reject: false,
    all: true,
    timeout: 240_000,
  })
}
const killedAt = (name: Name, release: ReleaseSpec, told: RegExp) => killedWhen(start(name, release), told)

describe("a deployment whose process is killed", () => {
  it.each<[Name, string, RegExp]>([
    ["rolling", "when the cluster has been told", /rolls over/],
    ["rolling", "in the middle", /ready after/],
    ["blue", "when green is there", /ready after/],
    ["blue", "when it has switched", /green has all the traffic/],
    ["canary", "when the canary is started", /started /],
    ["canary", "when the canary has its share", /50 % for/],
    ["canary", "when the release before leaves", /has this release/],
  ])("%s, %s: another process carries it on, without a failed request", async (name, _, told) => {
    const traffic = await users(name)
    const output = await killedAt(name, two, told)
    expect(output).toMatch(told)
    expect(output).not.toContain("deployed unchanged")
    expect((await start(name, two)).all).toContain("deployed unchanged=")
    expect(await serving(name)).toEqual(["v2", "v2"])
    expect(await readRollout((await rig.target("web", inputs[name])).notes)).toBeUndefined()
    expect((await traffic.stop()).failures).toEqual([])
  })

  it("is taken back whole when the release before is wanted again", async () => {
    const traffic = await users("canary")
    await killedAt("canary", two, /50 % for/)
    expect((await start("canary", one)).all).toContain("deployed unchanged=")
    expect(await serving("canary")).toEqual(["v1", "v1"])
    expect((await traffic.stop()).failures).toEqual([])
  })
})

describe("a deployment that is cancelled", () => {
  it.each<[Name, string, RegExp]>([
    ["rolling", "in the middle", /ready after/],
    ["blue", "when it has switched", /green has all the traffic/],
    ["canary", "when the canary has its share", /50 % for/],
  ])("%s, %s: the release before has everything again, and nobody waits for its lease", async (name, _, told) => {
    const traffic = await users(name)
    // Green is taken back only as long as it is watched.
    const strategy = name === "blue" ? { ...inputs.blue.strategy, watchSeconds: 60 } : inputs[name].strategy
    const input: EnvironmentInput = { ...inputs[name], strategy }
    const cancel = new AbortController()
    rig.lines.length = 0
    const work = rig.failure(rig.deploy(two, { input, signal: cancel.signal, judge: judged("pass") }))
    await until(() => rig.lines.some((line) => told.test(line)), 120)
    cancel.abort(new Error("cancelled"))
    expect(await work).toMatchObject({
      code: "DEPLOY-CANCELLED",
      kind: "cancelled",
      reason: expect.stringMatching(/serves again, whole/) as string,
    })
    expect(await serving(name)).toEqual(["v1", "v1"])
    const target = await rig.target("web", input)
    expect((await target.describe()).map((i) => i.release.env["VERSION"])).toEqual(["v1", "v1"])
    expect(await readRollout(target.notes)).toBeUndefined()
    expect(await target.locks.holder("deploy")).toBeUndefined()
    expect((await traffic.stop()).failures).toEqual([])
  })
})
