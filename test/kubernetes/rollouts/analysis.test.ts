import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { isFault } from "../../../core/errors.js"
import { analyse } from "../../../environments/analysis/analyse.js"
import { Analysis } from "../../../environments/analysis/settings.js"
import type { Verdict } from "../../../environments/analysis/verdict.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { readRollout, writeDecision } from "../../../environments/strategies/state.js"
import type { Target } from "../../../environments/target.js"
import { load } from "../../integration/environments/load.js"
import { until } from "../../integration/environments/lab.js"
import { openRig, type Rig } from "../rig.js"

/** A canary on pods, judged by what they measure themselves: the real Prometheus in the real cluster. */
let rig: Rig
let image: { reference: string; digest: string }
const { signal } = new AbortController()
const pace = { minReadySeconds: 0.1, drainSeconds: 1, graceSeconds: 2 }
const replicas = 2
const canary = (over: Record<string, unknown> = {}): EnvironmentInput => ({
  replicas,
  strategy: {
    kind: "canary",
    steps: [{ percent: 50, seconds: 8 }],
    analysis: { intervalSeconds: 2, windowSeconds: 12, minRequests: 50 },
    pauseSeconds: 0,
    ...pace,
    ...over,
  },
})
const release = (env: Record<string, string>, over: Partial<ReleaseSpec> = {}) =>
  rig.release(image, { env: { VERSION: "v2", ...env }, metrics: "/metrics", ...over })

beforeAll(async () => {
  rig = await openRig(canary())
  image = await rig.image("one")
})
afterAll(() => rig.close())
/** However the case before it has ended. */
beforeEach(async () => {
  await rig.deploy(release({ VERSION: "v1" }), {
    input: { replicas, metrics: true, strategy: { kind: "rolling", ...pace } },
  })
  rig.lines.splice(0)
})

/** A person has seen enough. */
async function promote({ notes }: Target): Promise<void> {
  const { id } = (await readRollout(notes)) ?? { id: "" }
  const decision = { rollout: id, step: 0, kind: "promote", full: true, by: "Lin", reason: "seen" } as const
  await writeDecision(notes, { ...decision, at: new Date().toISOString() })
}

/** Users, meanwhile: as long as it takes. */
async function withTraffic<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly versions: string[] }> {
  const traffic = load((await rig.target()).url, { most: 100_000, perSecond: 60, connections: 3, keepAlive: false })
  let failed = true
  try {
    const result = await work()
    failed = false
    const { versions } = await traffic.stop()
    return { result, versions: Object.keys(versions).sort() }
  } finally {
    if (failed) await traffic.stop()
  }
}
const failure = (work: Promise<unknown>) =>
  work.then(
    () => undefined,
    (error: unknown) => (isFault(error) ? error : Promise.reject(error instanceof Error ? error : new Error("?"))),
  )
const versionsThere = async (target: Target) => [
  ...new Set((await target.describe()).map((i) => i.release.env["VERSION"])),
]

describe("a canary on pods", () => {
  it("passes to 100 % with good figures", async () => {
    const { result } = await withTraffic(() => rig.deploy(release({})))
    expect(result.release.env["VERSION"]).toBe("v2")
    expect(await versionsThere(await rig.target())).toEqual(["v2"])
    const passed = rig.lines.find((line) => line.includes(": pass; "))
    expect(passed).toMatch(
      /availability: 100 % of \d+ requests.*serverErrors: 0 % of \d+ requests.*responseTime: \d+ ms/,
    )
  })

  it.each([
    ["answers 5xx", { ERROR_SHARE: "0.4" }, /serverErrors: [\d.]+ % of \d+ requests, at most 1 %/],
    ["is slow", { DELAY_MS: "1300" }, /responseTime: [\d.]+ s, at most 1 s/],
  ])("goes back when it %s", async (_, env, why) => {
    const { result } = await withTraffic(() =>
      failure(
        rig.deploy(release(env), {
          input: canary({ analysis: { intervalSeconds: 2, windowSeconds: 12, minRequests: 8 } }),
        }),
      ),
    )
    expect(result).toMatchObject({ code: "ROLLOUT-UNFIT", kind: "failed" })
    expect(result?.reason).toMatch(why)
    expect(await versionsThere(await rig.target())).toEqual(["v1"])
  })

  it("waits for a person when there is no traffic", async () => {
    const result = await failure(
      rig.deploy(release({}), {
        input: canary({ analysis: { intervalSeconds: 1, windowSeconds: 4, minRequests: 50 } }),
      }),
    )
    expect(result).toMatchObject({ code: "ROLLOUT-PAUSED", kind: "waiting" })
    expect(rig.lines.join("\n")).toMatch(/inconclusive; no traffic/)
    const target = await rig.target()
    expect((await readRollout(target.notes))?.phase).toBe("paused")
    expect((await versionsThere(target)).sort()).toEqual(["v1", "v2"])
  })

  it("waits for a person when a pod answers no figures", async () => {
    const { result } = await withTraffic(() =>
      failure(
        rig.deploy(release({ NO_FIGURES: "1" }), {
          input: canary({ analysis: { intervalSeconds: 1, windowSeconds: 4, minRequests: 50 } }),
        }),
      ),
    )
    expect(result).toMatchObject({ code: "ROLLOUT-PAUSED", kind: "waiting" })
    expect(result?.reason).toMatch(/no figures of 1 of 1 instances/)
  })

  it("is not begun where the service measures nothing", async () => {
    const result = await failure(rig.deploy(release({}, { metrics: undefined })))
    expect(result).toMatchObject({ code: "METRICS-NONE", kind: "usage" })
    expect(await versionsThere(await rig.target())).toEqual(["v1"])
  })
})

describe("the environment's Prometheus in the cluster", () => {
  const kubectl = (...args: string[]) => rig.lab.kubectl(["-n", rig.namespace, ...args])

  it("that was removed is no pass and no fail, and is made again for the next question", async () => {
    const target = await rig.target()
    const source = await target.metrics(signal)
    const settings = Analysis.parse({ windowSeconds: 8, minRequests: 20 })
    const began = performance.now()
    const ask = async (): Promise<Verdict> => {
      const [one, other] = await target.describe()
      if (one === undefined || other === undefined) throw new Error("two instances are wanted")
      const sinceSeconds = (performance.now() - began) / 1000
      return analyse(source, settings, { service: "web", canary: [one], baseline: [other], sinceSeconds }, signal)
    }
    await withTraffic(async () => {
      await until(async () => (await ask()).judgement === "pass", 60)
      await kubectl("delete", "deployment", "prometheus", "--cascade=foreground", "--wait=true")
      expect(await failure(ask())).toMatchObject({ code: "METRICS-UNREACHABLE", kind: "errored" })
      await target.metrics(signal)
      await until(async () => (await ask()).judgement === "pass", 60)
    })
  })

  it("that was killed in the middle of a rollout takes nothing back, and comes back with what happens then", async () => {
    const pod = async () => (await kubectl("get", "pods", "-l", "gantry.dev/part=metrics", "-o", "name")).trim()
    await (await rig.target()).metrics(signal)
    const killed = await pod()
    await withTraffic(async () => {
      // As long as it takes to have figures of afterwards; then somebody says that this is enough.
      const rollout = rig.deploy(release({}), { input: canary({ steps: [{ percent: 50, seconds: 600 }] }) })
      await until(() => rig.lines.some((line) => /^50 % for/.test(line)), 60)
      await kubectl("delete", killed, "--grace-period=0", "--force")
      const told = rig.lines.length
      await until(() => rig.lines.slice(told).some((line) => /^50 % for.*: pass; /.test(line)), 240)
      await promote(await rig.target())
      expect((await rollout).release.env["VERSION"]).toBe("v2")
    })
    expect(await pod()).not.toBe(killed)
    const verdicts = rig.lines.filter((line) => /^50 % for/.test(line))
    expect(verdicts.at(-1)).toMatch(/: pass; /)
    expect(verdicts.filter((line) => line.includes(": fail"))).toEqual([])
  })

  it("has no right beyond looking at the pods of its namespace", async () => {
    const account = `system:serviceaccount:${rig.namespace}:prometheus`
    const may = async (...what: string[]) =>
      (await rig.lab.kubectl(["auth", "can-i", ...what, "--as", account]).catch((e: unknown) => String(e))).includes(
        "yes",
      )
    expect(await may("list", "pods", "-n", rig.namespace)).toBe(true)
    expect(await may("get", "secrets", "-n", rig.namespace)).toBe(false)
    expect(await may("list", "pods", "-n", "kube-system")).toBe(false)
    expect(await may("list", "nodes")).toBe(false)
  })
})
