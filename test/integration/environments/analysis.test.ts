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
  await until(async () => (await find())?.healthy === true, 60)
  const [baseline] = await target.describe()
  await target.setWeights(new Map([canary, baseline as Instance].map((i) => [i, fullWeight])))
  const began = performance.now()
  const ask = (settings = analysis): Promise<Verdict> =>
    analyse(
      source,
      settings,
      {
        service: "web",
        canary: [canary],
        baseline: [baseline as Instance],
        sinceSeconds: (performance.now() - began) / 1000,
      },
      signal,
    )
  /**
   * Asks until something is known, as a rollout does, or until that is known: a service is scraped at another moment than
   * the balancer, and its own figures may come a second later.
   */
  const decide = async (
    settings = analysis,
    known = (verdict: Verdict) => verdict.judgement !== "inconclusive",
    users: Parameters<typeof load>[1] = {
      most: mostRequests,
    },
  ): Promise<Verdict> => {
    const traffic = load(target.url, users)
    try {
      let verdict = await ask(settings)
      await until(async () => known((verdict = await ask(settings))), 60).catch((error: unknown) => {
        throw new Error(`undecided: ${JSON.stringify(verdict, undefined, 1)}`, { cause: error })
      })
      return verdict
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
    // From the histogram: the 95th percentile of an even spread up to 20 ms, and of what a busy machine adds to it.
    expect(measure(verdict, "responseTime")).toMatchObject({ judgement: "pass" })
    expect(measure(verdict, "responseTime")?.canary).toBeGreaterThan(0.01)
    expect(measure(verdict, "responseTime")?.canary).toBeLessThan(0.2)
  })

  it("fails one that answers 5xx, and says how many", async () => {
    const verdict = await (await share({ ERROR_SHARE: "0.3" })).decide()
    expect(verdict.judgement).toBe("fail")
    const errors = measure(verdict, "serverErrors")
    expect(errors?.canary).toBeGreaterThan(0.1)
    expect(errors?.canary).toBeLessThan(0.5)
    expect(errors?.baseline).toBe(0)
    expect(verdict.reason).toMatch(/^serverErrors: [\d.]+ % of \d+ requests, at most 1 %, before 0 %$/)
  })

  it.each([
    ["its own histogram", { metrics: "/metrics" }],
    ["the balancer's averages", {}],
  ])("fails one that is slow, by %s", async (_, over) => {
    const { decide } = await share({ DELAY_MS: "1200" }, over)
    // The balancer's average of fewer than 50 answers is none, and each of these takes a second.
    const settings = Analysis.parse({ windowSeconds: 10, minRequests: 50 })
    const verdict = await decide(settings, undefined, { most: mostRequests, connections: 40 })
    expect(verdict.judgement).toBe("fail")
    expect(measure(verdict, "responseTime")?.canary).toBeGreaterThan(1)
    expect(verdict.reason).toContain("responseTime")
  })

  it("fails one that hangs up, although the balancer asks another instance then", async () => {
    const verdict = await (await share({ HANG_UP_SHARE: "0.2" })).decide()
    expect(verdict.judgement).toBe("fail")
    const availability = measure(verdict, "availability")
    expect(availability?.canary).toBeLessThan(0.95)
    expect(availability?.canary).toBeGreaterThan(0.5)
    expect(availability?.baseline).toBe(1)
  })

  it("forgets how slow the release was that had the slot before", async () => {
    const { decide } = await share({})
    const verdict = await decide()
    expect(verdict.judgement).toBe("pass")
    expect(measure(verdict, "responseTime")?.canary).toBeLessThan(0.2)
  })

  it("goes on when the balancer is reloaded in the middle, which sets its counters to 0", async () => {
    const { ask } = await share({})
    // So little that the new process's counters do not overtake the old one's between two scrapes.
    const traffic = load(target.url, { most: mostRequests, connections: 1 })
    try {
      const long = Analysis.parse({ windowSeconds: 30 })
      await until(async () => (await ask(long)).requests.canary >= 100, 60)
      const other = lab.release(image, { service: "other" })
      await (await lab.target("test", "other")).prepare(other, signal)
      const reset = () => source.query('sum(resets(haproxy_server_loadbalanced_total{server="web-1"}[30s]))', signal)
      await until(async () => ((await reset()) ?? 0) > 0, 60)
      let verdict = await ask()
      await until(async () => (verdict = await ask()).judgement !== "inconclusive", 60)
      expect(verdict.judgement).toBe("pass")
      expect(measure(verdict, "availability")?.canary).toBe(1)
      expect(measure(verdict, "responseTime")?.canary).toBeLessThan(0.2)
    } finally {
      await traffic.stop()
    }
  })

  it("knows nothing without traffic, neither yes nor no", async () => {
    const { ask, canary } = await share({}, { metrics: "/metrics" })
    await until(async () => (await scraped(canary)) === 1, 60)
    const verdict = await ask()
    expect(verdict).toMatchObject({ judgement: "inconclusive", requests: { canary: 0, baseline: 0 } })
    expect(verdict.reason).toMatch(/^no traffic/)
    expect(verdict.measures.map((m) => m.judgement)).not.toContain("pass")
    expect(measure(verdict, "serverErrors")?.canary).toBeUndefined()
  })

  it("judges by a metric of the service's own, and shows a dry run", async () => {
    const query = 'sum(increase(http_server_requests_seconds_bucket{instance=~"$instances",le="+Inf"}[$window]))'
    const settings = Analysis.parse({
      windowSeconds: 8,
      minRequests: 20,
      metrics: {
        answered: { query, unit: "count", max: 5 },
        shown: { query: "sum(", dryRun: true },
        empty: { query: "nothing_of_that_name", unit: "count", dryRun: true },
      },
    })
    const { decide } = await share({}, { metrics: "/metrics" })
    // For twenty seconds: a counter that appears with all that it will ever have has no increase.
    const users = { most: 8000, perSecond: 400 }
    const verdict = await decide(settings, ({ judgement }) => judgement === "fail", users)
    expect(verdict.reason).toMatch(/^answered: \d/)
    expect(measure(verdict, "shown")?.text).toMatch(/parse error.*dry run/)
    expect(measure(verdict, "empty")?.text).toBe("no figure, dry run")
  })
})

const scraped = (instance: Instance) => source.query(`up{job="services",instance="web-${instance.slot}"}`, signal)

describe("the environment's Prometheus", () => {
  it("scrapes an instance from its start to its end, without a restart", async () => {
    const { canary } = await share({}, { metrics: "/metrics" })
    await until(async () => (await scraped(canary)) === 1, 60)
    await target.stop(canary, 1)
    await until(async () => (await scraped(canary)) === undefined, 60)
  })

  it("says what is wrong with a query", async () => {
    const wrong = (query: string) => source.query(query, signal).catch((e: unknown) => e)
    expect(await wrong("sum(")).toMatchObject({ code: "METRICS-QUERY", kind: "usage" })
    expect(await wrong("up / on() up")).toMatchObject({ code: "METRICS-QUERY" })
    expect(await wrong("haproxy_server_weight")).toMatchObject({ code: "METRICS-QUERY" })
    expect(await wrong("up[5s]")).toMatchObject({ code: "METRICS-QUERY" })
    expect(await wrong("0 / 0")).toBeUndefined()
    expect(await wrong("1 / 0")).toBeUndefined()
  })

  it("runs as nobody of the host's, reachable on loopback alone", async () => {
    const { Config, HostConfig } = await lab.docker.getContainer(prometheus()).inspect()
    expect(Config.User).not.toMatch(/^(0|root)?(:|$)/)
    expect(HostConfig.CapDrop).toEqual(["ALL"])
    const published = Object.values(HostConfig.PortBindings as Record<string, { HostIp: string }[]>).flat()
    expect(published.map((p) => p.HostIp)).toEqual(["127.0.0.1"])
  })

  it("is no pass and no fail when it was killed, and comes back for the next question", async () => {
    const { ask } = await share({})
    await lab.docker.getContainer(prometheus()).kill()
    const error: unknown = await ask().catch((e: unknown) => e)
    expect(error).toMatchObject({ code: "METRICS-UNREACHABLE", kind: "errored" })
    source = await target.metrics(signal)
    expect(await source.query("1", signal)).toBe(1)
  })

  it("has no opinion when the balancer does not answer it", async () => {
    const { ask } = await share({})
    await lab.docker.getContainer(`${lab.engine.config.stack}-shop-test-balancer`).kill()
    await until(async () => /load balancer/.test((await ask()).reason), 60)
    expect((await ask()).judgement).toBe("inconclusive")
  })
})

const prometheus = () => `${lab.engine.config.stack}-shop-test-prometheus`
