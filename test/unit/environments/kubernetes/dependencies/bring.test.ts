import { expect, it } from "vitest"
import type { Json } from "../../../../../core/json.js"
import { bringAll } from "../../../../../environments/kubernetes/dependencies/bring.js"
import type { Bringing } from "../../../../../environments/kubernetes/dependencies/plan.js"
import { Dependency } from "../../../../../environments/kubernetes/dependencies/settings.js"
import { lookAt } from "../../../../../environments/kubernetes/dependencies/snapshot.js"
import type { KubernetesObject } from "../../../../../environments/kubernetes/object.js"
import { freeLocks } from "../../../../fakes/target.js"
import { withoutWaiting } from "../../../../fakes/no-waiting.js"

withoutWaiting()

type Ref = Readonly<Record<"kind" | "name", string>>
const namespace = "shop-test"
const cache: KubernetesObject = {
  ...{ apiVersion: "redis.example.com/v1", kind: "Cache" },
  metadata: { name: "cache", namespace },
}
const dependency = Dependency.parse({ kind: "manifests", path: "cache.yaml", pods: { app: "cache" }, waitSeconds: 60 })

/** A cluster in which objects go as slowly as their finalizer says, and an operator finds each one ready at once. */
function fakeCluster() {
  const there = new Map<string, KubernetesObject>()
  const goes = new Map<string, number>()
  const applied: string[] = []
  let made = 0
  const at = ({ kind, name }: Ref) => {
    const key = `${kind} ${name}`
    if ((goes.get(key) ?? Infinity) <= performance.now()) {
      there.delete(key)
      goes.delete(key)
    }
    return there.get(key)
  }
  const cluster = {
    context: "c",
    serves: () => Promise.resolve(true),
    list: () => Promise.resolve([]),
    logs: () => Promise.resolve(""),
    read: (ref: Ref) => Promise.resolve(at(ref)),
    apply: (object: KubernetesObject, { dryRun = false } = {}) => {
      const { kind, metadata } = object
      const before = at({ kind, name: metadata.name })
      const status = { conditions: [{ type: "Ready", status: "True" }] }
      // What is being deleted goes on being it.
      const now = { ...object, status, metadata: { ...before?.metadata, ...metadata } }
      if (dryRun) return Promise.resolve(now)
      const whole = { ...now, metadata: { uid: before?.metadata.uid ?? `${(made += 1)}`, ...now.metadata } }
      there.set(`${kind} ${metadata.name}`, whole)
      applied.push(`${kind} ${metadata.name}`)
      return Promise.resolve(whole)
    },
  }
  return {
    cluster: cluster as never as Bringing["cluster"],
    applied,
    at,
    /** Somebody deletes it, and its finalizer takes so long. */
    remove({ kind, name }: Ref, seconds: number) {
      const object = there.get(`${kind} ${name}`)
      if (object === undefined) throw new Error("not there")
      const metadata = { ...object.metadata, deletionTimestamp: new Date().toISOString(), finalizers: ["example/data"] }
      there.set(`${kind} ${name}`, { ...object, metadata })
      goes.set(`${kind} ${name}`, performance.now() + seconds * 1000)
    },
  }
}

function bringing(cluster: Bringing["cluster"]): Bringing & { readonly lines: string[] } {
  const notes = new Map<string, Json>()
  const lines: string[] = []
  return {
    lines,
    ...{ cluster, namespace, project: "shop", environment: "test", own: [], commit: "c0ffee" },
    memory: {
      locks: freeLocks,
      notes: {
        read: (name) => Promise.resolve(notes.get(name)),
        write: (name, value) => Promise.resolve(void notes.set(name, value)),
        where: (name) => name,
      },
    },
    signal: new AbortController().signal,
    tell: (line) => void lines.push(line),
    keepLog: () => Promise.resolve(),
  }
}
const wanted = [{ name: "cache", dependency, rendered: { first: [cache], second: [cache] } }]
const ref = { kind: "Cache", name: "cache" }

it("a dependency that is being deleted is no dependency: it is brought anew when it is gone", async () => {
  const { cluster, at, remove, applied } = fakeCluster()
  const place = bringing(cluster)
  expect(await bringAll(place, wanted)).toMatchObject([{ changed: true }])
  expect(await bringAll(place, wanted)).toMatchObject([{ changed: false }])
  const first = at(ref)?.metadata.uid
  applied.length = 0
  remove(ref, 30)
  expect(await lookAt(place, [cache], [])).toMatchObject([{ progress: { done: false, text: "it is being deleted" } }])
  expect(await bringAll(place, wanted)).toMatchObject([{ changed: true }])
  expect(at(ref)?.metadata).not.toMatchObject({ uid: first })
  expect(at(ref)?.metadata.deletionTimestamp).toBeUndefined()
  expect(place.lines).toContain("cache: Cache cache is being deleted; it is waited for until it is gone")
  expect(applied).toContain("Cache cache")
})

it("so is a policy of it", async () => {
  const { cluster, at, remove } = fakeCluster()
  const place = bringing(cluster)
  await bringAll(place, wanted)
  const policy = { kind: "NetworkPolicy", name: "gantry-dependency-cache" }
  remove(policy, 10)
  expect(await bringAll(place, wanted)).toMatchObject([{ changed: true }])
  expect(at(policy)?.metadata).toMatchObject({ name: policy.name })
  expect(at(policy)?.metadata.deletionTimestamp).toBeUndefined()
})

it("one that does not go is the place's fault, before anything is applied", async () => {
  const { cluster, remove, applied } = fakeCluster()
  const place = bringing(cluster)
  await bringAll(place, wanted)
  applied.length = 0
  remove(ref, Infinity)
  await expect(bringAll(place, wanted)).rejects.toMatchObject({
    code: "K8S-STAYS",
    kind: "errored",
    reason: expect.stringContaining("example/data") as string,
  })
  expect(applied).toEqual([])
})
