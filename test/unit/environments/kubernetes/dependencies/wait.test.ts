import { afterEach, describe, expect, it, vi } from "vitest"
import { undeclaredImages, untilReady } from "../../../../../environments/kubernetes/dependencies/wait.js"

afterEach(() => {
  vi.useRealTimers()
})

const where = { environment: "test", namespace: "shop-test", context: "c", name: "mysql" }
const mysql = (status: object) => ({
  ...{ apiVersion: "k8s.mariadb.com/v1alpha1", kind: "MariaDB" },
  metadata: { name: "mysql", uid: "mysql", generation: 2 },
  status,
})
const ready = { conditions: [{ type: "Ready", status: "True" }] }

/** Waits for a MariaDB whose operator says this from the start; answers after how many seconds it was believed. */
async function secondsFor(status: object, changed: readonly string[]): Promise<number> {
  vi.useFakeTimers({ toFake: ["performance", "setTimeout", "Date"] })
  const object = mysql(status)
  const cluster = {
    read: () => Promise.resolve(object),
    list: () => Promise.resolve([]),
    logs: () => Promise.resolve(""),
    remove: () => Promise.resolve(),
  }
  const began = performance.now()
  let over = false
  const done = untilReady({
    cluster: cluster as never,
    ...{ where, dependency: { ready: [], waitSeconds: 60 }, objects: [object], changed },
    ...{ signal: new AbortController().signal, tell: () => undefined, keepLog: () => Promise.resolve() },
  }).finally(() => (over = true))
  while (!over) await vi.advanceTimersByTimeAsync(100)
  await done
  return Math.round((performance.now() - began) / 1000)
}

describe("an operator that does not say which generation its word is about", () => {
  const changed = ["k8s.mariadb.com/v1alpha1 MariaDB mysql"]
  it("is given a moment after a change", async () => {
    expect(await secondsFor(ready, changed)).toBeGreaterThanOrEqual(15)
  })
  it("is believed at once where nothing was changed, or it says that it has seen this one", async () => {
    expect(await secondsFor(ready, [])).toBe(0)
    expect(await secondsFor({ ...ready, observedGeneration: 2 }, changed)).toBe(0)
  })
})

it("an image that nothing declares any more is one that the operator has not let go", () => {
  const pod = {
    ...{ apiVersion: "v1", kind: "Pod", metadata: { name: "queue-0-master-0" } },
    spec: { containers: [{ image: "broker:typo" }, { image: "broker:1" }] },
  }
  const broker = { apiVersion: "rocketmq.apache.org/v1alpha1", kind: "Broker", metadata: { name: "queue" } }
  expect(undeclaredImages(pod, [{ ...broker, spec: { brokerImage: "broker:1" } }])).toEqual(["broker:typo"])
})
