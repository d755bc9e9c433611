import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest"
import { analyse } from "../../../environments/analysis/analyse.js"
import { Analysis } from "../../../environments/analysis/settings.js"
import type { MetricsSource, Verdict } from "../../../environments/analysis/verdict.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { fullWeight, type Instance, type Target } from "../../../environments/target.js"
import { openLab, until, type Lab } from "./lab.js"
import { load } from "./load.js"

/** The real HAProxy and the real Prometheus: what an analysis says of releases that are good, bad, slow or not asked. */
let lab: Lab
let image: { reference: string; digest: string }
let target: Target
let source: MetricsSource
const { signal } = new AbortController()
/** Answers that a verdict may need; each case is bounded. */
const mostRequests = 2000
const analysis = Analysis.parse({ windowSeconds: 5, minRequests: 50 })

beforeAll(async () => {
  lab = await openLab({ test: { replicas: 1, metrics: true, strategy: { kind: "rolling", minReadySeconds: 0.1 } } })
  image = await lab.image("one")
  target = await lab.target("test")
  await lab.deploy(lab.release(image, { metrics: "/metrics" }))
  source = await target.metrics(signal)
})
afterAll(() => lab.close())
beforeEach(async () => {
  for (const instance of await target.describe()) if (instance.slot > 1) await target.stop(instance, 1)
})

/** Starts a second release beside the first and gives it half of the traffic. */
async function share(env: Record<string, string>, over: Partial<ReleaseSpec> = {}) {
  const release = lab.release(image, { env: { VERSION: "v2", ...env }, ...over })
  const [canary] = await target.start(release, 1, signal)
  if (canary === undefined) throw new Error("nothing started")
  const find = async () => (await target.describe()).find((i) => i.id === canary.id)
  await until(async () => (await find())?.healthy === true, 20)
  const [baseline] = await target.describe()
  await target.setWeights(new Map([canary, baseline as Instance].map((i) => [i, fullWeight])))
  const began = performance.now()
  const ask = (settings = analysis): Promise<Verdict> =>
    analyse(
      source,
      settings,
      { service: "web", canary: [canary.slot], baseline: [1], sinceSeconds: (performance.now() - began) / 1000 },
      signal,
    )
  /** Asks until something is known, as a rollout does. */
  const decide = async (settings = analysis): Promise<Verdict & { readonly seconds: number }> => {
    const traffic = load(target.url, { most: mostRequests })
    try {
      let verdict = await ask(settings)
      await until(async () => (verdict = await ask(settings)).judgement !== "inconclusive", 12)
      return { ...verdict, seconds: (performance.now() - began) / 1000 }
    } finally {
      await traffic.stop()
    }
  }
  return { canary, ask, decide }
}
const measure = (verdict: Verdict, name: string) => verdict.measures.find((m) => m.metric === name)

describe("an analysis of real figures", () => {
  it("passes a good release, measured against the one before", async () => {
    const verdict = await (await share({}, { metrics: "/metrics" })).decide()
    expect(verdict.judgement).toBe("pass")
    expect(verdict.requests.canary).toBeGreaterThanOrEqual(50)
    expect(verdict.requests.baseline).toBeGreaterThanOrEqual(50)
    expect(measure(verdict, "serverErrors")).toMatchObject({ canary: 0, baseline: 0, judgement: "pass" })
    // From the histogram: the 95th percentile of an even spread up to 20 ms, in a bucket up to 50 ms.
    expect(measure(verdict, "responseTime")?.canary).toBeLessThanOrEqual(0.05)
  })

  it("fails one that answers 5xx, and says how many", async () => {
    const verdict = await (await share({ ERROR_SHARE: "0.3" })).decide()
    expect(verdict.judgement).toBe("fail")
    const errors = measure(verdict, "serverErrors")
    expect(errors?.canary).toBeGreaterThan(0.15)
    expect(errors?.canary).toBeLessThan(0.45)
    expect(errors?.baseline).toBe(0)
    expect(verdict.reason).toMatch(/^serverErrors: [\d.]+ % of \d+ requests, at most 1 %, before 0 %$/)
    expect(verdict.seconds).toBeLessThan(10)
  })

  it.each([
    ["its own histogram", { metrics: "/metrics" }],
    ["the balancer's averages", {}],
  ])("fails one that is slow, by %s", async (_, over) => {
    const { decide } = await share({ DELAY_MS: "1200" }, over)
    const verdict = await decide(Analysis.parse({ windowSeconds: 10, minRequests: 15 }))
    expect(verdict.judgement).toBe("fail")
    expect(measure(verdict, "responseTime")?.canary).toBeGreaterThan(1)
    expect(verdict.reason).toContain("responseTime")
  })
})
