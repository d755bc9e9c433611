import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { readRollout, writeDecision } from "../../../environments/strategies/state.js"
import { load } from "../../integration/environments/load.js"
import { until } from "../../integration/environments/lab.js"
import { judged } from "../judged.js"
import { openRig, type Rig } from "../rig.js"

/** Canary by weights: of an HTTPRoute, and of ingress-nginx' annotations, which the lab's controller reads as well. */
const pace = { minReadySeconds: 0, drainSeconds: 5, graceSeconds: 5 }
const strategy = {
  kind: "canary",
  steps: [
    // Until the test has seen its users, and says go on.
    { percent: 10, seconds: 1, pause: true },
    { percent: 50, seconds: 3 },
  ],
  testers: { name: "X-Shop-Tester", value: "yes" },
  pauseSeconds: 300,
  analysis: { intervalSeconds: 1, windowSeconds: 2 },
  ...pace,
} as const
let rig: Rig
let one: ReleaseSpec
let two: ReleaseSpec
beforeAll(async () => {
  rig = await openRig()
  one = rig.release(await rig.image("one"))
  two = rig.release(await rig.image("two"), { env: { VERSION: "v2" } })
})
afterAll(() => rig.close())

const versions = async (input: EnvironmentInput) =>
  (await (await rig.target("web", input)).describe()).map((i) => `${i.release.env["VERSION"]}`)
/** Versions that so many requests meet, of new connections each. */
async function met(url: string, count: number, headers: Record<string, string> = {}) {
  const seen: Record<string, number> = {}
  for (let i = 0; i < count; i++) {
    const text = await (await fetch(url, { headers })).text()
    const version = text.split(" ")[0] ?? ""
    seen[version] = (seen[version] ?? 0) + 1
  }
  return seen
}

async function canary(input: EnvironmentInput) {
  await rig.deploy(one, { input: { ...input, strategy: { kind: "rolling", ...pace } } })
  // A case before has taken nothing back; it is approved all the same, so that the order does not matter.
  const approved = { by: "Lin", at: new Date().toISOString() }
  rig.lines.length = 0
  const target = await rig.target("web", input)
  const users = () => load(target.url, { connections: 12, most: 300_000, methods: ["GET"] })
  const first = users()
  await until(() => first.count() > 200, 60)
  const rollout = rig.deploy(two, { input, judge: judged("pass"), approved })
  await until(async () => (await readRollout(target.notes))?.percent === 10, 60)
  await until(async () => ((await met(target.url, 20))["v2"] ?? 0) > 0, 30)
  const before = await first.stop()
  // Nobody else asks now, whose turns would be counted with ours. Three pods of the release before, one of the new one.
  const fresh = (await met(target.url, 100))["v2"] ?? 0
  expect(fresh).toBeGreaterThanOrEqual(8)
  expect(fresh).toBeLessThanOrEqual(12)
  expect(await met(target.url, 10, { "X-Shop-Tester": "yes" })).toEqual({ v2: 10 })
  const traffic = users()
  const state = await readRollout(target.notes)
  if (state === undefined) throw new Error("the rollout is over")
  const at = new Date().toISOString()
  await writeDecision(target.notes, {
    rollout: state.id,
    step: 0,
    kind: "promote",
    full: false,
    by: "Lin",
    reason: "seen",
    at,
  })
  await rollout
  await until(() => traffic.count() + before.total >= 10_000, 120)
  const result = await traffic.stop()
  console.log(rig.lines)
  expect([...before.failures, ...result.failures]).toEqual([])
  expect(result.versions["v2"]).toBeGreaterThan(0)
  expect(await versions(input)).toEqual(["v2", "v2", "v2"])
  expect(rig.lines.some((line) => line.startsWith("traffic: "))).toBe(true)
}

describe("canary by weights", () => {
  it("of an HTTPRoute: as few users as the step says, testers all, no failed request", async () => {
    const { ports } = rig.lab.gateway
    const [live, preview] = [ports.last - 1, ports.last - 2]
    const gateway = {
      apiVersion: "gateway.networking.k8s.io/v1",
      kind: "Gateway",
      metadata: { name: "public", namespace: rig.namespace },
      spec: {
        gatewayClassName: rig.lab.gateway.class,
        listeners: [
          { name: "web", protocol: "HTTP", port: live },
          { name: "web-preview", protocol: "HTTP", port: preview },
        ],
      },
    }
    await rig.lab.kubectl(["apply", "-f", "-"], { input: JSON.stringify(gateway) })
    const input: EnvironmentInput = {
      replicas: 3,
      strategy: { ...strategy, steps: [...strategy.steps] },
      kubernetes: {
        expose: {
          kind: "gateway",
          gateway: "public",
          listener: "{service}",
          previewListener: "{service}-preview",
          address: "127.0.0.1",
          controllerNamespace: rig.lab.gateway.namespace,
        },
      },
    }
    await canary(input)
    const { previewUrl } = await rig.target("web", input)
    expect(previewUrl).toBe(`http://127.0.0.1:${preview}`)
  })

  it("of ingress-nginx' annotations, with the preview asked through the API server", async () => {
    const { port } = rig.lab.ingress
    const input: EnvironmentInput = {
      replicas: 3,
      strategy: { ...strategy, steps: [...strategy.steps] },
      kubernetes: {
        expose: {
          kind: "ingress",
          className: rig.lab.ingress.class,
          host: "localhost",
          address: `localhost:${port}`,
          controllerNamespace: rig.lab.gateway.namespace,
        },
      },
    }
    await canary(input)
  })
})
