import { afterAll, beforeAll, expect, it } from "vitest"
import type { EnvironmentInput } from "../../../environments/environment.js"
import { load } from "../../integration/environments/load.js"
import { until } from "../../integration/environments/lab.js"
import { openRig, type Rig } from "../rig.js"

const input: EnvironmentInput = {
  replicas: 2,
  strategy: { kind: "rolling", minReadySeconds: 0, drainSeconds: 120, graceSeconds: 3, progressDeadlineSeconds: 300 },
}
let rig: Rig
beforeAll(async () => {
  rig = await openRig(input)
})
afterAll(() => rig.close())

it("the API server goes away in the middle, and comes back: the deployment goes on, nobody notices", async () => {
  await rig.deploy(rig.release(await rig.image("one")))
  const two = rig.release(await rig.image("two"), { env: { VERSION: "v2" } })
  const traffic = load((await rig.target()).url, {
    methods: ["GET"],
    connections: 6,
    most: 100_000,
    keepAlive: false,
  })
  rig.lines.length = 0
  const rollout = rig.deploy(two)
  await until(() => rig.lines.some((line) => /rolls over/.test(line)), 60)
  await rig.lab.stopApi()
  await until(() => rig.lines.some((line) => /does not answer/.test(line)), 60)
  await rig.lab.startApi()
  expect((await rollout).unchanged).toBe(false)
  expect(rig.lines.join("\n")).toMatch(/does not answer \([^]*answers again/)
  // The nodes' proxies, too, have to find the API server again, and wait longer after each try (up to a minute); until
  // then the old pods, which drain, go on answering.
  await expect.poll(() => rig.version(), { timeout: 150_000 }).toBe("v2")
  expect((await traffic.stop()).failures).toEqual([])
})
