import { describe, expect, it } from "vitest"
import { departures } from "../../../../../environments/kubernetes/departures.js"
import type { KubernetesObject } from "../../../../../environments/kubernetes/object.js"
import { untilComplete } from "../../../../../environments/kubernetes/own/wait.js"
import { releaseKey, releaseSpec } from "../../../../../environments/release.js"
import { digest } from "../../../../fakes/chart-values.js"
import { withoutWaiting } from "../../../../fakes/no-waiting.js"

withoutWaiting()

const reference = `r/shop/web@${digest("a")}`
const release = releaseSpec({
  ...{ service: "web", reference, digest: digest("a"), commit: "c0ffee", config: "", env: {}, port: 8080 },
  ...{ readiness: "/ready", startupSeconds: 30, calls: [], resources: {} },
})
const key = releaseKey(release)
const strategy = { kind: "rolling", minReadySeconds: 1, drainSeconds: 1, graceSeconds: 1 } as const

/** What the cluster has of a workload, and its pods. */
type Look = readonly [KubernetesObject | undefined, ...object[]]

/** Waits while the cluster goes through these states, one with each look; the last one stays until a pod is removed. */
async function waits(object: KubernetesObject, looks: readonly Look[], afterRemoval: readonly Look[] = []) {
  let [rest, looked] = [looks, 0]
  const now = () => rest[Math.min(looked, rest.length) - 1]
  const removed: string[] = []
  const lines: string[] = []
  const began = performance.now()
  const cluster = {
    read: () => {
      looked += 1
      return Promise.resolve(now()?.[0])
    },
    list: ({ kind }: { readonly kind: string }) => Promise.resolve(kind === "Pod" ? (now()?.slice(1) ?? []) : []),
    remove: ({ name }: { readonly name: string }, { uid }: { readonly uid: string }) => {
      removed.push(`${name} ${uid} after ${Math.round((performance.now() - began) / 1000)} s`)
      if (afterRemoval.length > 0) [rest, looked] = [afterRemoval, 0]
      return Promise.resolve()
    },
  }
  const end = await untilComplete({
    place: {
      ...{ cluster: cluster as never, namespace: "t", project: "shop", environment: {} as never, service: "web" },
      departures: departures(cluster as never, "t"),
    },
    order: {
      ...{
        release,
        replicas: 1,
        strategy: { ...strategy, maxSurge: 1, maxUnavailable: 0, progressDeadlineSeconds: 90 },
      },
      ...{
        signal: new AbortController().signal,
        tell: (line) => void lines.push(line),
        keepLog: () => Promise.resolve(),
      },
    },
    ...{ objects: [object], environment: "test", logs: () => Promise.resolve("") },
  }).then(
    () => "complete",
    (error: Error) => error.name,
  )
  return { end, removed, lines }
}

it("a Job that has cleared itself away is over; what else is gone is not", async () => {
  const object = (apiVersion: string, kind: string) => ({
    ...{ apiVersion, kind, metadata: { name: "prepare" } },
    spec: { ttlSecondsAfterFinished: 0, selector: { matchLabels: { app: "prepare" } }, template: {} },
  })
  expect(await waits(object("batch/v1", "Job"), [[undefined]])).toMatchObject({ end: "complete" })
  const gone = await waits(object("apps/v1", "Deployment"), [[undefined]])
  expect(gone).toMatchObject({ end: "DEPLOY-STUCK", lines: ["Deployment prepare: it is gone"] })
})

describe("a StatefulSet whose pod of the release that is left", () => {
  const image = (name: string) => ({ template: { spec: { containers: [{ name: "c", image: name }] } } })
  const set = (status: object, of = reference): KubernetesObject => ({
    ...{ apiVersion: "apps/v1", kind: "StatefulSet" },
    metadata: { name: "web", uid: "set", generation: 3 },
    spec: { replicas: 1, selector: { matchLabels: { app: "web" } }, ...image(of) },
    status: { observedGeneration: 3, updateRevision: "a", currentRevision: "a", ...status },
  })
  const pod = (revision: string, status: object, releaseKey = revision === "a" ? key : "other") => ({
    ...{ apiVersion: "v1", kind: "Pod", status },
    metadata: {
      ...{ name: "web-0", uid: `pod-${revision}`, creationTimestamp: new Date().toISOString() },
      labels: { "controller-revision-hash": revision, "gantry.dev/release-key": releaseKey },
      ownerReferences: [{ kind: "StatefulSet", name: "web", uid: "set" }],
    },
  })
  const ready = { conditions: [{ type: "Ready", status: "True" }] }
  const crashes = {
    containerStatuses: [{ name: "c", state: { waiting: { reason: "CrashLoopBackOff", message: "back-off 5s" } } }],
  }
  const homeless = { conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "full" }] }
  const whole: readonly Look[] = [
    [set({}), pod("a", {})],
    [set({ readyReplicas: 1, updatedReplicas: 1 }), pod("a", ready)],
  ]

  it("dies makes room, once the controller has looked at the release that is wanted", async () => {
    const unseen = set({ observedGeneration: 2, updateRevision: "b" })
    const bad = pod("b", crashes)
    const ended = await waits(
      set({}),
      [
        [unseen, bad],
        [unseen, bad],
        [set({}), bad],
      ],
      whole,
    )
    expect(ended).toMatchObject({ end: "complete", removed: ["web-0 pod-b after 1 s"] })
    expect(ended.lines).toContain(
      "web-0 of the release that is left cannot run (CrashLoopBackOff: back-off 5s); it makes room",
    )
  })
  it("does not get ready makes room after a moment, and one that gets ready does not", async () => {
    const ended = await waits(set({}), [[set({}), pod("b", { phase: "Running" })]], whole)
    expect(ended).toMatchObject({ end: "complete", removed: ["web-0 pod-b after 10 s"] })
    expect(ended.lines).toContain("web-0 of the release that is left does not get ready (Running); it makes room")
    const slow = Array.from({ length: 20 }, (): Look => [set({}), pod("b", { phase: "Running" })])
    const replaced: Look = [set({ readyReplicas: 1 }), pod("b", ready)]
    expect(await waits(set({}), [...slow, replaced, ...slow, ...whole])).toMatchObject({ end: "complete", removed: [] })
  })
  it("has no room waits for it a while, from when the scheduler says so", async () => {
    const ended = await waits(set({}), [[set({}), pod("b", homeless)]], whole)
    expect(ended).toMatchObject({ end: "complete", removed: ["web-0 pod-b after 65 s"] })
  })
  it("is not blamed where no release's image is in it, also when it is as young as the wait", async () => {
    const beside = set({}, "r/cache:1")
    const ended = await waits(beside, [[beside, pod("b", crashes)]], whole)
    expect(ended).toMatchObject({ end: "complete", removed: ["web-0 pod-b after 0 s"] })
  })
  it("that is of the release that is wanted is blamed, not removed", async () => {
    expect(await waits(set({}), [[set({}), pod("a", crashes)]])).toMatchObject({ end: "DEPLOY-DIED", removed: [] })
  })
})
