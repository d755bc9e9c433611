import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { isFault } from "../../../core/errors.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { readRollout } from "../../../environments/strategies/state.js"
import { openLab, until, type Lab } from "./lab.js"
import { load, type Load } from "./load.js"

/** Each strategy on the real HAProxy, judged by the real Prometheus, forwards and back, with users who ask all the time. */
const least = 10_000
const pace = { minReadySeconds: 0.2, drainSeconds: 5, graceSeconds: 5 }
const analysis = { intervalSeconds: 1, windowSeconds: 5, minRequests: 20 }
const environments: Record<string, EnvironmentInput> = {
  blue: {
    replicas: 2,
    strategy: { kind: "blue-green", ...pace, keepSeconds: 300, watchSeconds: 3, pauseSeconds: 0, analysis },
  },
  canary: {
    replicas: 3,
    strategy: {
      kind: "canary",
      steps: [
        { percent: 10, seconds: 4 },
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
  lab.release(two, { env: { VERSION: "v2", ...env }, metrics: "/metrics", ...over })

beforeAll(async () => {
  lab = await openLab(environments, 150)
  one = lab.release(await lab.image("one"), { metrics: "/metrics" })
  two = await lab.image("two")
})
afterAll(() => lab.close())

/** Users of an environment in which the first release runs. */
async function users(environment: string): Promise<Load> {
  // Back from a release that a case before left there, without anybody judging it.
  if ((await versions(environment)).includes("v2:100")) await lab.rollBack(environment)
  await lab.deploy(one, { environment })
  lab.lines.length = 0
  const traffic = load((await lab.target(environment)).url, { connections: 40, most: 300_000, methods: ["GET"] })
  await until(() => traffic.count() > 200, 60)
  return traffic
}
const atLeast = (traffic: Load, count: number) => until(() => traffic.count() >= count, 120)
/** What it failed with; what was told is shown should it not have failed. */
const failure = async (work: Promise<unknown>) => {
  const error: unknown = await work.then(
    () => undefined,
    (e: unknown) => e,
  )
  if (!isFault(error)) throw new Error(`no fault: ${String(error)}\n${lab.lines.join("\n")}`)
  return error
}
const versions = async (environment: string) =>
  (await (await lab.target(environment)).describe()).map((i) => `${i.release.env["VERSION"]}:${i.weight}`)

describe("blue-green", () => {
  it("switches to green and back to blue without a failed request", async () => {
    const traffic = await users("blue")
    await lab.deploy(v2(), { environment: "blue" })
    expect(await versions("blue")).toEqual(["v1:0", "v1:0", "v2:100", "v2:100"])
    expect((await lab.deploy(v2(), { environment: "blue" })).unchanged).toBe(true)
    const started = performance.now()
    await lab.rollBack("blue")
    console.log(`back at blue after ${((performance.now() - started) / 1000).toFixed(2)} s`, lab.lines)
    await atLeast(traffic, least)
    const result = await traffic.stop()
    expect(result.failures).toEqual([])
    expect(result.total).toBeGreaterThanOrEqual(least)
    expect(result.versions["v2"]).toBeGreaterThan(0)
  })
})

describe("canary", () => {
  it("gets to 100 % without a failed request", async () => {
    const traffic = await users("canary")
    const target = await lab.target("canary")
    const rollout = lab.deploy(v2(), { environment: "canary" })
    // Whoever sends the testers' header sees the new release while it has the smallest share, and on the preview address.
    await until(async () => (await readRollout(target.notes))?.percent === 10, 60)
    const headers = { "X-Shop-Tester": "yes" }
    for (const [url, init] of [
      [target.url, { headers }],
      [target.previewUrl, {}],
    ] as const) {
      for (let i = 0; i < 10; i++) expect(await (await fetch(url, init)).text()).toMatch(/^v2/)
    }
    await rollout
    expect((await lab.deploy(v2(), { environment: "canary" })).unchanged).toBe(true)
    await lab.rollBack("canary")
    expect(await versions("canary")).toEqual(["v1:100", "v1:100", "v1:100"])
    await lab.deploy(v2(), { environment: "canary", approved: { by: "Lin", at: new Date().toISOString() } })
    await atLeast(traffic, least)
    const result = await traffic.stop()
    console.log(lab.lines)
    expect(result.failures).toEqual([])
    expect(result.total).toBeGreaterThanOrEqual(least)
    expect(await versions("canary")).toEqual(["v2:100", "v2:100", "v2:100"])
  })

  /** A release that is bad in some way is gone again, and users had all but its own answers from the one before. */
  async function goesBack(bad: ReleaseSpec, over: { readonly failures: "none" | "own" }) {
    const traffic = await users("canary")
    const error = await failure(lab.deploy(bad, { environment: "canary" }))
    // They are served afterwards as well.
    await atLeast(traffic, Math.max(least, traffic.count() + 1000))
    const result = await traffic.stop()
    expect(await versions("canary")).toEqual(["v1:100", "v1:100", "v1:100"])
    const { failures, total } = result
    console.log(`${failures.length} of ${total} requests met the bad canary`, error.message, error.reason)
    if (over.failures === "none") expect(failures).toEqual([])
    else expect(failures.every((f) => /^(GET|POST) 500 v2/.test(f))).toBe(true)
    expect(failures.length / total).toBeLessThan(0.1)
    return error
  }

  it("takes a release back that answers 5xx", async () => {
    const error = await goesBack(v2({ ERROR_SHARE: "0.5" }), { failures: "own" })
    expect(error.code).toBe("ROLLOUT-UNFIT")
    expect(error.reason).toMatch(/serverErrors/)
  })

  it("takes a release back that is slow", async () => {
    const error = await goesBack(v2({ DELAY_MS: "1500" }), { failures: "none" })
    expect(error.code).toBe("ROLLOUT-UNFIT")
    expect(error.reason).toMatch(/responseTime/)
  })

  it("takes a release back that never gets ready, before any user sees it", async () => {
    const error = await goesBack(v2({ NEVER_READY: "1" }, { startupSeconds: 2 }), { failures: "none" })
    expect(error.code).toBe("DEPLOY-NOT-READY")
  })

  it("takes a release back that dies while it has traffic", async () => {
    // What it was working on when it died may have had an effect: only reading requests are asked again elsewhere.
    const error = await goesBack(v2({ EXIT_AFTER_REQUESTS: "60" }), { failures: "none" })
    expect(error.code).toBe("ROLLOUT-UNFIT")
    expect(error.reason).toMatch(/it died[^]*giving up: no such table/)
  })
})
