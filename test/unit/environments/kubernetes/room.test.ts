import { describe, expect, it } from "vitest"
import type { KubernetesObject } from "../../../../environments/kubernetes/object.js"
import { applyObjects, tryObjects } from "../../../../environments/kubernetes/own/apply.js"
import { readStaying } from "../../../../environments/kubernetes/room.js"
import { withoutWaiting } from "../../../fakes/no-waiting.js"

withoutWaiting()

const ref = { apiVersion: "redis.example.com/v1", kind: "Cache", namespace: "t", name: "cache" }
const cache = (uid: string, metadata: object = {}): KubernetesObject => ({
  ...{ apiVersion: ref.apiVersion, kind: ref.kind },
  metadata: { namespace: "t", name: "cache", uid, ...metadata },
})
const going = cache("old", {
  deletionTimestamp: "2026-01-01T00:00:00Z",
  finalizers: ["redis.example.com/data", "foregroundDeletion"],
})

/** A cluster that has the old one for so long, then what comes after it; and what happens to it, in seconds from now on. */
function clusterOf(seconds: number, after?: KubernetesObject) {
  const began = performance.now()
  const now = () => Math.round((performance.now() - began) / 1000)
  const moves: string[] = []
  const cluster = {
    read: () => Promise.resolve(now() < seconds ? going : after),
    apply: (object: KubernetesObject, { dryRun = false } = {}) => {
      moves.push(`${dryRun ? "try" : "apply"} ${object.metadata.name} after ${now()} s`)
      return Promise.resolve(object)
    },
  }
  return { cluster: cluster as never, moves, now }
}

describe("what is being deleted", () => {
  const lines: string[] = []
  const wait = { signal: new AbortController().signal, tell: (line: string) => void lines.push(line) }

  it("is waited for until it is gone, or another one has taken its place", async () => {
    const { cluster, now } = clusterOf(30)
    expect(await readStaying(cluster, ref, wait)).toBeUndefined()
    expect(now()).toBe(30)
    expect(lines).toEqual(["Cache cache is being deleted; it is waited for until it is gone"])
    expect(await readStaying(clusterOf(30, cache("new")).cluster, ref, wait)).toMatchObject({
      metadata: { uid: "new" },
    })
  })
  it("and does not go is told with what holds it; the place's fault, not the work's", async () => {
    const { cluster, now } = clusterOf(Infinity)
    await expect(readStaying(cluster, ref, { ...wait, seconds: 60 })).rejects.toMatchObject({
      code: "K8S-STAYS",
      kind: "errored",
      message: "Cache cache in t does not go",
      reason: expect.stringContaining("finalizers: redis.example.com/data, foregroundDeletion") as string,
    })
    expect(now()).toBe(60)
  })
  it("is not tried nor applied onto by a service's own objects", async () => {
    const { cluster, moves } = clusterOf(30)
    const place = { cluster, namespace: "t", project: "shop", environment: { name: "test" } as never, service: "web" }
    await tryObjects(place, [cache("")], wait)
    const second = clusterOf(30)
    await applyObjects({ ...place, cluster: second.cluster }, [cache("")], wait)
    expect([...moves, ...second.moves]).toEqual(["try cache after 30 s", "apply cache after 30 s"])
  })
})
