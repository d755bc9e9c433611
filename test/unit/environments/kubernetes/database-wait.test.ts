import { describe, expect, it } from "vitest"
import { awaitDatabase } from "../../../../environments/kubernetes/database-wait.js"
import { withoutWaiting } from "../../../fakes/no-waiting.js"

withoutWaiting()

type Look = readonly [set: object, pod: object | undefined]
const set = (generation: number, observedGeneration: number, updateRevision: string) => ({
  ...{ apiVersion: "apps/v1", kind: "StatefulSet", metadata: { name: "web-db", uid: "set", generation } },
  status: { observedGeneration, updateRevision },
})
const pod = (hash: string, status: object, more: object = {}) => ({
  ...{ apiVersion: "v1", kind: "Pod", status },
  metadata: {
    name: "web-db-0",
    uid: `pod-${hash}`,
    labels: { "controller-revision-hash": hash },
    ownerReferences: [{ kind: "StatefulSet", name: "web-db", uid: "set" }],
    ...more,
  },
})
const ready = { conditions: [{ type: "Ready", status: "True" }] }
const starting = { conditions: [{ type: "Ready", status: "False" }] }
const tooLarge = {
  conditions: [
    { type: "PodScheduled", status: "False", reason: "Unschedulable", lastTransitionTime: "2026-01-01T00:00:00Z" },
  ],
}
const noImage = { containerStatuses: [{ name: "c", state: { waiting: { reason: "InvalidImageName" } } }] }
const going = { deletionTimestamp: "2026-01-01T00:00:00Z" }

/** Waits while the cluster goes through these states, one with each look; the last one stays. */
async function waits(looks: readonly Look[], said?: string) {
  const removed: unknown[] = []
  const told: string[] = []
  let at = -1
  const now = () => looks[Math.min(Math.max(at, 0), looks.length - 1)] as Look
  const cluster = {
    read: () => {
      at += 1
      return Promise.resolve(now()[0])
    },
    list: ({ kind }: { readonly kind: string }) => {
      const lastTimestamp = new Date().toISOString()
      if (kind !== "Pod") return Promise.resolve(said === undefined ? [] : [{ message: said, lastTimestamp }])
      const [, there] = now()
      return Promise.resolve(there === undefined ? [] : [there])
    },
    logs: () => Promise.resolve(""),
    remove: (_: object, { uid }: { readonly uid: string }) => Promise.resolve(void removed.push(uid)),
  }
  const began = performance.now()
  const place = {
    ...{ cluster: cluster as never, namespace: "shop-test", service: "web", environment: { name: "test" } },
    tell: (line: string) => void told.push(line),
  }
  const end = await awaitDatabase(place, new AbortController().signal).then(
    () => "ready",
    (error: Error) => `${error.name} ${(error as { reason?: string }).reason ?? ""}`.trim(),
  )
  return { end, removed, told, looks: at + 1, seconds: (performance.now() - began) / 1000 }
}

describe("a database that was changed", () => {
  it("is not ready by its pod of the declaration before: unheard of, left, or on its way out", async () => {
    const looks: Look[] = [
      [set(2, 1, "a"), pod("a", ready)],
      [set(2, 2, "b"), pod("a", ready)],
      [set(2, 2, "b"), pod("a", ready, going)],
      [set(2, 2, "b"), undefined],
      [set(2, 2, "b"), pod("b", starting)],
      [set(2, 2, "b"), pod("b", ready)],
    ]
    expect(await waits(looks)).toMatchObject({ end: "ready", removed: [], looks: looks.length })
  })
  it("is at once ready where nothing was changed", async () => {
    expect(await waits([[set(1, 1, "a"), pod("a", ready)]])).toMatchObject({ end: "ready", looks: 1 })
  })
  it.each([
    ["too large", tooLarge],
    ["of no image", noImage],
  ])("is not blamed for its pod of before that was %s: that makes room", async (_, status) => {
    const { end, removed, told } = await waits([
      [set(2, 1, "a"), pod("a", status)],
      [set(2, 2, "b"), pod("a", status)],
      [set(2, 2, "b"), pod("a", status, going)],
      [set(2, 2, "b"), pod("b", ready)],
    ])
    expect({ end, removed }).toEqual({ end: "ready", removed: ["pod-a"] })
    expect(told.join()).toMatch(/web-db-0 of the declaration before cannot run.*makes room/)
  })
  it("replaces a pod of before that runs and does not get ready", async () => {
    const looks: Look[] = Array.from({ length: 700 }, () => [set(2, 2, "b"), pod("a", starting)] as const)
    const { end, removed } = await waits([...looks, [set(2, 2, "b"), pod("b", ready)]])
    expect(end).toBe("ready")
    expect(new Set(removed)).toEqual(new Set(["pod-a"]))
  })
})

describe("a database that does not come", () => {
  it("is blamed at once for what its own pod will not get over", async () => {
    const { end, seconds } = await waits([[set(1, 1, "a"), pod("a", noImage)]])
    expect(end).toBe("ENV-DATABASE InvalidImageName")
    expect(seconds).toBeLessThan(1)
  })
  it("is waited for a little longer than its startup probe lets it start", async () => {
    const { end, seconds } = await waits([[set(1, 1, "a"), pod("a", starting)]])
    expect(end).toMatch(/^ENV-DATABASE/)
    expect(seconds).toBeGreaterThan(300)
    expect(seconds).toBeLessThan(360)
  })
  it("of which no pod may be made is told with the quota", async () => {
    const said = 'pods "web-db-0" is forbidden: exceeded quota: tight'
    const { end, seconds } = await waits([[set(1, 1, "a"), undefined]], said)
    expect(end).toMatch(/^K8S-QUOTA/)
    expect(seconds).toBeLessThan(10)
  })
})
