import { describe, expect, it } from "vitest"
import { withoutWaiting } from "../../../../fakes/no-waiting.js"
import { undeclaredImages, untilReady } from "../../../../../environments/kubernetes/dependencies/wait.js"

withoutWaiting()

const where = { environment: "test", namespace: "shop-test", context: "c", name: "mysql" }
const mysql = (status: object) => ({
  ...{ apiVersion: "k8s.mariadb.com/v1alpha1", kind: "MariaDB" },
  metadata: { name: "mysql", uid: "mysql", generation: 2 },
  status,
})
const ready = { conditions: [{ type: "Ready", status: "True" }] }

/** Waits for a MariaDB whose operator says this from the start; answers after how many seconds it was believed. */
async function secondsFor(status: object, changed: readonly string[]): Promise<number> {
  const object = mysql(status)
  const cluster = {
    read: () => Promise.resolve(object),
    list: () => Promise.resolve([]),
    logs: () => Promise.resolve(""),
    remove: () => Promise.resolve(),
  }
  const began = performance.now()
  await untilReady({
    cluster: cluster as never,
    ...{ where, dependency: { ready: [], waitSeconds: 60 }, objects: [object], changed },
    ...{ signal: new AbortController().signal, tell: () => undefined, keepLog: () => Promise.resolve() },
  })
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

describe("a StatefulSet whose pod of the declaration before has no image", () => {
  const revision = (generation: number, observedGeneration: number, updateRevision: string, ready: number) => ({
    ...{ apiVersion: "apps/v1", kind: "StatefulSet", spec: { replicas: 1 } },
    metadata: { name: "cache", uid: "set", generation },
    status: {
      observedGeneration,
      updateRevision,
      currentRevision: ready === 1 ? updateRevision : "a",
      updatedReplicas: ready,
      readyReplicas: ready,
    },
  })
  const pod = (hash: string, status: object) => ({
    ...{ apiVersion: "v1", kind: "Pod", status },
    metadata: {
      name: "cache-0",
      uid: `pod-${hash}`,
      labels: { "controller-revision-hash": hash },
      ownerReferences: [{ kind: "StatefulSet", name: "cache", uid: "set" }],
    },
  })
  const noImage = {
    containerStatuses: [{ name: "c", state: { waiting: { reason: "ErrImagePull", message: "not found" } } }],
  }

  /** Waits while the cluster goes through these states, one with each look; the last one stays. */
  async function waits(...states: readonly (readonly [object, object])[]) {
    const removed: unknown[] = []
    let look = -1
    const now = () => states[Math.min(look, states.length - 1)] ?? [{}, {}]
    const cluster = {
      read: () => Promise.resolve(now()[0]),
      list: ({ kind }: { readonly kind: string }) => {
        if (kind !== "Pod") return Promise.resolve([])
        look += 1
        return Promise.resolve([now()[1]])
      },
      logs: () => Promise.resolve(""),
      remove: (_: object, { uid }: { readonly uid: string }) => Promise.resolve(void removed.push(uid)),
    }
    const end = await untilReady({
      cluster: cluster as never,
      ...{ where, dependency: { ready: [], waitSeconds: 60 }, objects: [revision(1, 1, "a", 0)], changed: [] },
      ...{ signal: new AbortController().signal, tell: () => undefined, keepLog: () => Promise.resolve() },
    }).then(
      () => "ready",
      (error: Error) => error.name,
    )
    return { end, removed }
  }

  it("is not blamed while the controller has not looked at the new declaration; then the pod makes room", async () => {
    const old = pod("a", noImage)
    const ended = await waits(
      [revision(2, 1, "a", 0), old],
      [revision(2, 1, "a", 0), old],
      [revision(2, 2, "b", 0), old],
      [revision(2, 2, "b", 1), pod("b", { conditions: [{ type: "Ready", status: "True" }] })],
    )
    expect(ended).toEqual({ end: "ready", removed: ["pod-a"] })
  })
  it("is blamed after a moment where it is the declaration that is wanted", async () => {
    expect(await waits([revision(1, 1, "a", 0), pod("a", noImage)])).toEqual({ end: "DEPENDENCY-BROKEN", removed: [] })
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
