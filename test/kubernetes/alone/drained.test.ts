import { afterAll, beforeAll, expect, it } from "vitest"
import { load } from "../../integration/environments/load.js"
import { openRig, type Rig } from "../rig.js"

let rig: Rig
beforeAll(async () => {
  const strategy = { kind: "rolling", minReadySeconds: 0, drainSeconds: 5, graceSeconds: 5 } as const
  rig = await openRig({ replicas: 2, strategy })
})
afterAll(() => rig.close())

it("a node that is emptied waits for the disruption budget, and users see no failed request", async () => {
  // A name of its own: a drain chooses pods of all namespaces by their labels.
  const service = `drained-${rig.namespace}`
  await rig.deploy(rig.release(await rig.image("one"), { service }))
  const target = await rig.target(service)
  const traffic = load(target.url, { connections: 4, methods: ["GET"], keepAlive: false })
  const kubectl = (...args: string[]) => rig.lab.kubectl([...args, "--namespace", rig.namespace])
  const node = await kubectl("get", "nodes", "-o", "jsonpath={.items[0].metadata.name}")
  try {
    const selector = `app.kubernetes.io/name=${service}`
    const drain = ["drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--pod-selector", selector]
    await expect(rig.lab.kubectl([...drain, "--timeout=12s"])).rejects.toMatchObject({
      reason: expect.stringMatching(/violate the pod's disruption budget/) as string,
    })
    // One had to go, once it has ended, and its successor finds no node; the other one serves.
    const phases = async () =>
      (await kubectl("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].status.phase}")).split(" ").sort()
    await expect.poll(phases, { timeout: 60_000 }).toEqual(["Pending", "Running"])
  } finally {
    await rig.lab.kubectl(["uncordon", node])
  }
  const healthy = async () => (await target.describe()).filter((i) => i.healthy).length
  await expect.poll(healthy, { timeout: 90_000 }).toBe(2)
  const result = await traffic.stop()
  expect(result.total).toBeGreaterThan(100)
  expect(result.failures).toEqual([])
})
