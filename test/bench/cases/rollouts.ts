import { performance } from "node:perf_hooks"
import type { EnvironmentInput } from "../../../environments/environment.js"
import type { ReleaseSpec } from "../../../environments/release.js"
import { openLab, until, type Lab } from "../../integration/environments/lab.js"
import { load } from "../../integration/environments/load.js"
import type { Case, Sample } from "../case.js"

/** Seconds between two measurements of the canary. */
const interval = 2
const pace = { minReadySeconds: 0.5, drainSeconds: 5, graceSeconds: 5 }
const environments = {
  rolling: { replicas: 3, strategy: { kind: "rolling", ...pace } },
  blue: { replicas: 3, strategy: { kind: "blue-green", keepSeconds: 600, ...pace } },
  canary: {
    replicas: 3,
    strategy: {
      kind: "canary",
      steps: [{ percent: 10, seconds: 20 }],
      pauseSeconds: 0,
      analysis: { intervalSeconds: interval, windowSeconds: 10, minRequests: 20 },
      ...pace,
    },
  },
} satisfies Record<string, EnvironmentInput>
type Name = keyof typeof environments

let lab: Lab
let one: ReleaseSpec
let two: ReleaseSpec
let bad: ReleaseSpec

/** Users who ask while `work` goes on, and a moment longer. */
async function watched(name: Name, work: () => Promise<unknown>) {
  const traffic = load((await lab.target(name)).url, { connections: 12, most: 100_000 })
  await until(() => traffic.count() > 100, 20)
  const began = performance.now()
  await work()
  const took = performance.now() - began
  const asked = traffic.count()
  await until(() => traffic.count() > asked + 100, 20)
  return { ...(await traffic.stop()), began, took }
}

/** Has the first release run there alone, refused by nobody. */
async function begin(name: Name): Promise<void> {
  const target = await lab.target(name)
  await target.notes.write("refused", undefined)
  const [now] = (await target.describe()).filter((i) => i.weight > 0)
  if (now !== undefined && now.release.env["VERSION"] !== "v1") await lab.rollBack(name)
  await lab.deploy(one, { environment: name })
  await target.notes.write("refused", undefined)
}

async function blueGreen(): Promise<Sample> {
  await begin("blue")
  const there = await watched("blue", () => lab.deploy(two, { environment: "blue" }))
  const back = await watched("blue", () => lab.rollBack("blue"))
  return {
    "switch s": overlap(there.seen, "v1", "v2"),
    "back s": ((back.seen["v2"]?.last ?? NaN) - back.began) / 1000,
    failed: there.failures.length + back.failures.length,
  }
}

async function rolling(): Promise<Sample> {
  await begin("rolling")
  const there = await watched("rolling", () => lab.deploy(two, { environment: "rolling" }))
  const back = await watched("rolling", () => lab.rollBack("rolling"))
  return {
    "forward s": there.took / 1000,
    "back s": ((back.seen["v2"]?.last ?? NaN) - back.began) / 1000,
    failed: there.failures.length + back.failures.length,
  }
}

async function badCanary(): Promise<Sample> {
  await begin("canary")
  const { failures, seen, total } = await watched("canary", () =>
    lab.deploy(bad, { environment: "canary" }).catch(() => undefined),
  )
  const { first = NaN, last = NaN } = seen["bad"] ?? {}
  return { "gone s": (last - first) / 1000, "met it %": (failures.length / total) * 100 }
}

/** How long users saw both. Seconds. */
function overlap(seen: Readonly<Record<string, { first: number; last: number }>>, before: string, after: string) {
  return Math.max(0, (seen[before]?.last ?? NaN) - (seen[after]?.first ?? NaN)) / 1000
}

/** What users see of a rollout: three replicas on the Docker target, with users who ask all the time. */
export const rollouts: Case = {
  name: "rollouts",
  title: `what users see of a rollout of three replicas; the canary has 10 %, is measured every ${interval} s, and answers 500 every other time`,
  rounds: 3,
  async prepare() {
    lab = await openLab(environments)
    one = lab.release(await lab.image("one"), { metrics: "/metrics" })
    const image = await lab.image("two")
    two = lab.release(image, { metrics: "/metrics", env: { VERSION: "v2" } })
    bad = lab.release(image, { metrics: "/metrics", env: { VERSION: "bad", ERROR_SHARE: "0.5" } })
  },
  close: () => lab.close(),
  variants: [
    { name: "blue-green", run: blueGreen },
    { name: "rolling", run: rolling },
    { name: "bad canary", run: badCanary },
  ],
  conclude: (median) => [
    { name: "blue-green: both releases seen", value: median("blue-green", "switch s"), unit: "s", goal: 1 },
    { name: "blue-green: back by gantry rollback", value: median("blue-green", "back s"), unit: "s", goal: 1 },
    { name: "rolling: back by gantry rollback", value: median("rolling", "back s"), unit: "s", goal: 10 },
    {
      name: "bad canary: from the first bad answer to the last",
      value: median("bad canary", "gone s"),
      unit: "s",
      goal: interval + 2,
    },
    { name: "bad canary: share of all requests that met it", value: median("bad canary", "met it %"), unit: "%" },
  ],
}
