import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isFault } from "../../../core/errors.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import { releaseKey, type ReleaseSpec } from "../../../environments/release.js"
import { readRollout } from "../../../environments/strategies/state.js"
import { deployer, killedAt } from "./deployer-process.js"
import { openLab, until, versionsServing, type Lab } from "./lab.js"
import { load } from "./load.js"

/**
 * What happens around a rollout: its process is killed, or what it works with. Users ask all the time. Some moments of many:
 * the unit tests of the strategies kill a process before each single order that it gives.
 */
const pace = { minReadySeconds: 0.2, drainSeconds: 5, graceSeconds: 5 }
const analysis = { intervalSeconds: 0.5, windowSeconds: 5, minRequests: 5 }
const inputs = {
  blue: { replicas: 2, strategy: { kind: "blue-green", ...pace, watchSeconds: 1.5, pauseSeconds: 2, analysis } },
  canary: {
    replicas: 2,
    strategy: {
      kind: "canary",
      steps: [
        { percent: 30, seconds: 2 },
        { percent: 60, seconds: 1 },
      ],
      pauseSeconds: 2,
      analysis,
      ...pace,
    },
  },
  // Ends by what happens to it, not by its time.
  watched: {
    replicas: 2,
    strategy: { kind: "canary", steps: [{ percent: 60, seconds: 300 }], pauseSeconds: 2, analysis, ...pace },
  },
} satisfies Record<string, EnvironmentInput>
type Name = keyof typeof inputs

let lab: Lab
let one: ReleaseSpec
let two: ReleaseSpec
beforeAll(async () => {
  lab = await openLab(inputs, 100)
  const image = await lab.image("one")
  one = lab.release(image, { metrics: "/metrics" })
  two = lab.release(image, { metrics: "/metrics", env: { VERSION: "v2" } })
})
afterAll(() => lab.close())

const container = (name: Name, what: string) =>
  lab.docker.getContainer(`${lab.project.engine.stack}-shop-${name}-${what}`)
/** Versions that have traffic and serve. */
const serving = async (name: Name) => versionsServing(await lab.target(name))
/** The first release, alone and whole, and users who read. */
async function users(name: Name) {
  if ((await serving(name)).includes("v2")) await lab.rollBack(name)
  // Ends a rollout that pauses, too.
  await lab.deploy(one, { environment: name })
  expect(await serving(name)).toEqual(["v1", "v1"])
  await (await lab.target(name)).notes.write("refused", undefined)
  lab.lines.length = 0
  const traffic = load((await lab.target(name)).url, {
    methods: ["GET"],
    connections: 8,
    most: 100_000,
    perSecond: 300,
  })
  await until(() => traffic.count() > 50, 60)
  return traffic
}
const deploying = (environment: Name, release: ReleaseSpec) => ({
  lab,
  environment,
  input: inputs[environment],
  release,
})
/** Has the rollout come so far? */
const reaches = async (name: Name, percent: number) => {
  const { notes } = await lab.target(name)
  await until(async () => (await readRollout(notes))?.percent === percent && (await serving(name)).includes("v2"), 60)
}
const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    // Nothing here is expected to be errored: then the cause is what one wants to read.
    (error: unknown) =>
      !isFault(error) ? String(error) : error.kind === "errored" ? `${error.code}: ${error.reason}` : error.code,
  )

describe("a rollout whose process is killed", () => {
  it.each<[Name, string, RegExp]>([
    ["blue", "when it has switched", /green has all the traffic/],
    ["blue", "while green is watched", /100 % for/],
    ["canary", "when the canary is started", /started /],
    ["canary", "when the canary has its share", /30 % for/],
    ["canary", "when the release before leaves", /leaves the balancer/],
  ])("%s, %s: another process carries it on, without a failed request", async (name, _, told) => {
    const traffic = await users(name)
    const output = await killedAt(deploying(name, two), told)
    expect(output).toMatch(told)
    expect(output).not.toContain("deployed unchanged")
    // What a person sees now is one release or two, and every user is served.
    expect(await deployer(deploying(name, two))).toContain("deployed unchanged=false")
    expect(await serving(name)).toEqual(["v2", "v2"])
    expect(await readRollout((await lab.target(name)).notes)).toBeUndefined()
    expect((await traffic.stop()).failures).toEqual([])
  })

  it("is taken back whole when the release before is wanted again", async () => {
    const traffic = await users("canary")
    await killedAt(deploying("canary", two), /30 % for/)
    expect(await deployer(deploying("canary", one))).toContain("deployed unchanged=")
    expect(await serving("canary")).toEqual(["v1", "v1"])
    expect(await readRollout((await lab.target("canary")).notes)).toBeUndefined()
    expect((await traffic.stop()).failures).toEqual([])
  })
})

describe("a rollout around which something dies", () => {
  it("goes back when the canary is killed", async () => {
    const traffic = await users("watched")
    const rollout = outcome(lab.deploy(two, { environment: "watched" }))
    await reaches("watched", 60)
    const fresh = (await (await lab.target("watched")).describe()).find((i) => i.key === releaseKey(two))
    await lab.docker.getContainer(fresh?.id ?? "").kill()
    expect(await rollout).toBe("ROLLOUT-UNFIT")
    expect(await serving("watched")).toEqual(["v1", "v1"])
    expect((await traffic.stop()).failures).toEqual([])
  })

  it("replaces an instance of the release before, and goes on", async () => {
    const traffic = await users("canary")
    const rollout = outcome(lab.deploy(two, { environment: "canary" }))
    await reaches("canary", 60)
    const old = (await (await lab.target("canary")).describe()).find((i) => i.key === releaseKey(one))
    await lab.docker.getContainer(old?.id ?? "").kill()
    expect(await rollout).toBe("done")
    expect(lab.lines.join("\n")).toMatch(/is dead \(exit code 137\): removed/)
    expect(await serving("canary")).toEqual(["v2", "v2"])
    expect((await traffic.stop()).failures).toEqual([])
  })

  /** It went on after figures that were good, went back, or pauses: then the release before has all the traffic. */
  async function endsWell(ended: string) {
    expect(["done", "ROLLOUT-UNFIT", "ROLLOUT-PAUSED"], lab.lines.join("\n")).toContain(ended)
    const version = ended === "done" ? "v2" : "v1"
    await until(async () => JSON.stringify(await serving("canary")) === JSON.stringify([version, version]), 60)
    const passed = (percent: number) =>
      lab.lines.some((line) => line.startsWith(`${percent} % for `) && line.includes(": pass"))
    if (ended === "done") expect([passed(30), passed(60)]).toEqual([true, true])
  }

  it("does not go on without figures when Prometheus dies", async () => {
    const traffic = await users("canary")
    const rollout = outcome(lab.deploy(two, { environment: "canary" }))
    await reaches("canary", 60)
    await container("canary", "prometheus").kill()
    await endsWell(await rollout)
    expect((await traffic.stop()).failures).toEqual([])
  })

  it("does not go on blindly when the balancer dies", async () => {
    const traffic = await users("canary")
    const rollout = outcome(lab.deploy(two, { environment: "canary" }))
    await reaches("canary", 60)
    await container("canary", "balancer").kill()
    await endsWell(await rollout)
    await traffic.stop()
  })
})
