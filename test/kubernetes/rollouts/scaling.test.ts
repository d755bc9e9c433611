import { setTimeout as sleep } from "node:timers/promises"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { kubeCluster, type KubeObject } from "../../../clients/kubernetes/index.js"
import type { Verdict } from "../../../environments/analysis/verdict.js"
import { describeEnvironment } from "../../../environments/index.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { Deployment } from "../../../environments/kubernetes/kinds.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { load } from "../../integration/environments/load.js"
import { metricsApi } from "./metrics-api.js"
import { openRig, type Rig } from "../rig.js"

/** Who else sets the number of instances: an autoscaler, the clock, a node that is emptied. */
const pace = { minReadySeconds: 0, drainSeconds: 5, graceSeconds: 5 }
const rolling = { kind: "rolling", ...pace } as const
const blueGreen = { kind: "blue-green", ...pace, keepSeconds: 0, pauseSeconds: 0, checkTimes: 1 } as const
/** A machine that is busy gives an instance little: what counts as much is little, too. */
const resources = { requests: { cpu: "50m", memory: "48Mi" }, limits: { cpu: "250m", memory: "256Mi" } }
const autoscaling = { min: 2, max: 3, cpu: 60, scaleDownSeconds: 0 }
const never = "0 0 1 1 *"

type Web = NonNullable<NonNullable<EnvironmentInput["kubernetes"]>["services"]>[string]
const plain: EnvironmentInput = { replicas: 2, strategy: rolling }
const having = (web: Web, more: EnvironmentInput = {}): EnvironmentInput => ({
  ...plain,
  ...more,
  kubernetes: { services: { web } },
})

let rig: Rig
let one: ReleaseSpec
let two: ReleaseSpec
let three: ReleaseSpec
beforeAll(async () => {
  // What pods are made with belongs to a release: all of them have these.
  rig = await openRig(having({ resources }))
  one = rig.release(await rig.image("one"))
  const image = await rig.image("two")
  two = rig.release(image, { env: { VERSION: "v2" } })
  three = rig.release(image, { env: { VERSION: "v3" } })
})
afterAll(() => rig.close())

interface Autoscaler extends KubeObject {
  readonly spec: {
    readonly scaleTargetRef: { readonly name: string }
    readonly minReplicas: number
    readonly maxReplicas: number
  }
  readonly status?: {
    readonly currentMetrics?: readonly unknown[] | null
    readonly conditions?: readonly { readonly reason?: string }[]
  }
}

const read = <T extends KubeObject>(apiVersion: string, kind: string, name: string) =>
  kubeCluster({ kubeconfig: rig.lab.kubeconfig, context: rig.lab.context }).read<T>({
    apiVersion,
    kind,
    namespace: rig.namespace,
    name,
  })
const numberOf = async (track: "blue" | "green", service = "web") =>
  (await read<Deployment>("apps/v1", "Deployment", `${service}-${track}`))?.spec.replicas
const autoscaler = () => read<Autoscaler>("autoscaling/v2", "HorizontalPodAutoscaler", "web")
const kubectl = (...args: string[]) => rig.lab.kubectl([...args, "--namespace", rig.namespace])

async function until(holds: () => Promise<boolean>, seconds: number, what: string): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${what}\n${rig.lines.join("\n")}`)
    await sleep(300)
  }
}

/** Fields of the web's objects that `gantry env diff` says somebody has changed by hand. */
async function drift(input: EnvironmentInput): Promise<readonly string[]> {
  const project = { ...rig.project, environments: { test: rig.environment(input) } }
  const { services } = await describeEnvironment(project, "test", ["web"])
  return services.flatMap((s) => s.drift).map((d) => `${d.what}: ${d.field}: ${d.expected} → ${d.found}`)
}

/** The least number that a Deployment was ordered to have while `work` went on, and as long as `counts` holds. */
async function leastOf(
  track: "blue" | "green",
  work: Promise<unknown>,
  counts: () => Promise<boolean> = () => Promise.resolve(true),
): Promise<number> {
  let going = true
  let least = Infinity
  const watching = (async () => {
    for (; going; await sleep(150)) {
      const now = (await numberOf(track)) ?? Infinity
      if (await counts()) least = Math.min(least, now)
    }
  })()
  await work.finally(() => (going = false))
  await watching
  return least
}

/** A run of a schedule now. */
async function strike(schedule: string): Promise<void> {
  const job = `now-${schedule}-${Date.now() % 100_000}`
  await kubectl("create", "job", job, `--from=cronjob/web-${schedule}`)
  await kubectl("wait", "--for=condition=Complete", `job/${job}`, "--timeout=90s")
}

describe("an autoscaler", () => {
  it("has the say about the number: under load, through deployments, and back", async () => {
    const input = having({ resources, autoscaling })
    await rig.deploy(one, { input })
    const measures = async () => ((await autoscaler())?.status?.currentMetrics ?? []).length > 0
    await until(async () => (await measures()) && (await numberOf("blue")) === 2, 180, "2 instances at rest")

    const { url } = await rig.target("web", input)
    const traffic = load(`${url}/burn?ms=10`, { connections: 2, methods: ["GET"], keepAlive: false, most: 100_000 })
    const started = performance.now()
    await until(async () => (await numberOf("blue")) === 3, 180, "3 instances under load")
    const up = (performance.now() - started) / 1000

    // A rolling update leaves it, and a new track begins with as many.
    expect(await leastOf("blue", rig.deploy(two, { input }))).toBe(3)
    await rig.deploy(one, { input: having({ resources, autoscaling }, { strategy: blueGreen }) })
    expect(await numberOf("green")).toBe(3)
    expect(await numberOf("blue")).toBeUndefined()
    expect((await autoscaler())?.spec.scaleTargetRef.name).toBe("web-green")

    const result = await traffic.stop()
    expect(result.failures).toEqual([])
    const calm = performance.now()
    await until(async () => (await numberOf("green")) === 2, 180, "2 instances when it is calm again")
    console.log(
      `up after ${up.toFixed(0)} s, back after ${((performance.now() - calm) / 1000).toFixed(0)} s; ${result.total} requests`,
    )
    expect((await rig.deploy(one, { input })).unchanged).toBe(true)
    expect(await numberOf("green")).toBe(2)
  })

  it("goes by requests", async () => {
    const api = await metricsApi(rig, "http_requests_per_second")
    try {
      const bounds = { min: 2, max: 3, scaleDownSeconds: 0 }
      const input = having({ resources, autoscaling: { ...bounds, requestsPerSecond: { average: "4" } } })
      await rig.deploy(one, { input })
      const track = (await numberOf("blue")) === undefined ? "green" : "blue"
      const measures = async () => ((await autoscaler())?.status?.currentMetrics ?? []).length > 0
      await until(async () => (await measures()) && (await numberOf(track)) === 2, 180, "2 instances at rest")
      const { url } = await rig.target("web", input)
      const traffic = load(url, { connections: 4, methods: ["GET"], keepAlive: false, most: 100_000 })
      await until(async () => (await numberOf(track)) === 3, 180, "3 instances under load")
      expect((await traffic.stop()).failures).toEqual([])
      await until(async () => (await numberOf(track)) === 2, 180, "2 instances when it is calm again")
    } finally {
      await api.remove()
    }
  })

  it("goes by memory", async () => {
    // What a Node process takes at rest is more than that share of what was requested.
    await rig.deploy(one, {
      input: having({ resources, autoscaling: { min: 2, max: 3, scaleDownSeconds: 0, memory: 10 } }),
    })
    const track = (await numberOf("blue")) === undefined ? "green" : "blue"
    await until(async () => (await numberOf(track)) === 3, 180, "3 instances by what they take at rest")
  })

  it("comes and goes with the configuration: the number stays, then it is Gantry's again", async () => {
    // What is at rest it would bring down to its lower bound, and may do so at once.
    const wide = having({ resources, autoscaling: { ...autoscaling, min: 3, max: 4, cpu: 1000 } })
    await rig.deploy(one, { input: { ...plain, replicas: 3 } })
    const track = (await numberOf("blue")) === 3 ? "blue" : "green"
    expect(await numberOf(track)).toBe(3)
    expect(await autoscaler()).toBeUndefined()
    // Left out by its only owner a number would fall back to one instance.
    expect(await leastOf(track, rig.deploy(two, { input: wide }))).toBe(3)
    expect((await autoscaler())?.spec.scaleTargetRef.name).toBe(`web-${track}`)
    await kubectl("patch", "hpa", "web", "--type=merge", '-p={"spec":{"minReplicas":4}}', "--field-manager=gantry")
    await until(async () => (await numberOf(track)) === 4, 90, "4 instances by the autoscaler")
    await rig.deploy(one, { input: plain })
    expect(await numberOf(track)).toBe(2)
    expect(await autoscaler()).toBeUndefined()
    expect(rig.lines).toContain("HorizontalPodAutoscaler web is removed: web has it no more")
  })
})

describe("an autoscaler while a canary goes on", () => {
  const canary: EnvironmentInput["strategy"] = {
    kind: "canary",
    ...pace,
    steps: [{ percent: 10, seconds: 1 }],
    pauseSeconds: 0,
    analysis: { intervalSeconds: 1, windowSeconds: 2 },
  }
  const unsure = (): Promise<Verdict> =>
    Promise.resolve({
      judgement: "inconclusive",
      at: new Date().toISOString(),
      requests: { canary: 1, baseline: 1 },
      measures: [],
      reason: "few requests",
    })

  it("leaves the release before whole however little it has to do, and takes away what is too much once it is over", async () => {
    const input = having({ resources, autoscaling }, { strategy: canary })
    await rig.deploy(one, { input: having({ resources, autoscaling }) })
    const track = (await numberOf("blue")) === undefined ? "green" : "blue"
    const { url } = await rig.target("web", input)
    const traffic = load(`${url}/burn?ms=10`, { connections: 2, methods: ["GET"], keepAlive: false, most: 100_000 })
    await until(async () => (await numberOf(track)) === 3, 180, "3 instances under load")
    await expect(rig.deploy(two, { input, judge: unsure })).rejects.toMatchObject({ kind: "waiting" })
    expect((await traffic.stop()).failures).toEqual([])

    const wantsFewer = async () =>
      (await autoscaler())?.status?.conditions?.some(({ reason }) => reason === "ScaleDownLimit") === true
    await until(wantsFewer, 180, "an autoscaler that would take instances away")
    expect(await numberOf(track)).toBe(3)
    expect(await drift(input)).toEqual([])

    // Back to the release before, by another process: all three take the traffic, and one of them goes once the canary is gone.
    const other = track === "blue" ? "green" : "blue"
    expect(await leastOf(track, rig.deploy(one, { input }), async () => (await numberOf(other)) !== undefined)).toBe(3)
    expect(await numberOf(other)).toBeUndefined()
    await until(async () => (await numberOf(track)) === 2, 180, "2 instances when it is over")
    expect(await drift(input)).toEqual([])
  })
})

describe("the clock", () => {
  const schedules = [
    { name: "day", cron: never, replicas: 3 },
    { name: "night", cron: never, replicas: 1 },
  ]

  it("sets the number: deployments keep it, and it follows the traffic to another track", async () => {
    await rig.deploy(one, { input: having({ schedules }) })
    const track = (await numberOf("blue")) === undefined ? "green" : "blue"
    const other = track === "blue" ? "green" : "blue"
    expect(await numberOf(track)).toBe(2)
    await strike("day")
    expect(await numberOf(track)).toBe(3)
    expect(await leastOf(track, rig.deploy(two, { input: having({ schedules }) }))).toBe(3)
    expect((await rig.deploy(two, { input: having({ schedules }) })).unchanged).toBe(true)
    expect(await drift(having({ schedules }))).toEqual([])

    const switching = having({ schedules }, { strategy: blueGreen })
    await rig.deploy(one, { input: switching })
    expect([await numberOf(track), await numberOf(other)]).toEqual([undefined, 3])
    await strike("night")
    expect(await numberOf(other)).toBe(1)
    await rig.deploy(three, { input: having({ schedules }) })
    expect(await numberOf(other)).toBe(1)
    await rig.rollBack("web", having({ schedules }))
    expect(await numberOf(other)).toBe(1)
    // Its word is over with it.
    await rig.deploy(one, { input: plain })
    expect(await numberOf(other)).toBe(2)
    // The environment's Prometheus, which the canary before has brought, has a role of its own.
    const left = (await kubectl("get", "cronjobs,roles", "-o", "name")).split("\n")
    expect(left.filter((name) => name !== "" && !name.endsWith("/prometheus"))).toEqual([])
  })

  it("sets the autoscaler's bounds: deployments keep them until there is no such schedule", async () => {
    const idle = { ...autoscaling, max: 4, cpu: 1000 }
    const day = having({ resources, autoscaling: idle, schedules: [{ name: "day", cron: never, min: 3 }] })
    await rig.deploy(one, { input: day })
    expect((await autoscaler())?.spec).toMatchObject({ minReplicas: 2, maxReplicas: 4 })
    await strike("day")
    expect((await autoscaler())?.spec).toMatchObject({ minReplicas: 3, maxReplicas: 4 })
    const more = having({ ...day.kubernetes?.services?.["web"], autoscaling: { ...idle, max: 5 } })
    await rig.deploy(two, { input: more })
    expect((await autoscaler())?.spec).toMatchObject({ minReplicas: 3, maxReplicas: 5 })
    expect(await drift(more)).toEqual([])
    await rig.deploy(one, { input: having({ resources, autoscaling: idle }) })
    expect((await autoscaler())?.spec).toMatchObject({ minReplicas: 2, maxReplicas: 4 })
    await rig.deploy(one, { input: plain })
    expect(await autoscaler()).toBeUndefined()
  })
})
