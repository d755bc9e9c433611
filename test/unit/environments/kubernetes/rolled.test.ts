import { describe, expect, it } from "vitest"
import type { Fault } from "../../../../core/errors.js"
import { departures } from "../../../../environments/kubernetes/departures.js"
import { instancesNow } from "../../../../environments/kubernetes/instances.js"
import type { Deployment, Pod } from "../../../../environments/kubernetes/kinds.js"
import { labels } from "../../../../environments/kubernetes/labels.js"
import { untilRolled } from "../../../../environments/kubernetes/rolled.js"
import type { Scene } from "../../../../environments/kubernetes/scene.js"
import { readPods } from "../../../../environments/kubernetes/tracks.js"
import { noTraffic } from "../../../../environments/kubernetes/traffic.js"
import { releaseKey, unknownRelease } from "../../../../environments/release.js"
import { RollingStrategy } from "../../../../environments/strategies/settings.js"
import type { RollOrder, Target } from "../../../../environments/target.js"
import { withoutWaiting } from "../../../fakes/no-waiting.js"

withoutWaiting()

const release = { ...unknownRelease("config-b"), digest: "sha256:b", startupSeconds: 60 }
const key = releaseKey(release)
const labelled = (of: string) => ({ [labels.track]: "blue", [labels.releaseKey]: of })

const deployment = (status: Deployment["status"] = {}): Deployment => ({
  ...{ apiVersion: "apps/v1", kind: "Deployment" },
  metadata: { name: "web-blue", generation: 2, labels: labelled(key) },
  spec: { replicas: 1, template: { metadata: { labels: labelled(key) } } },
  status: { observedGeneration: 2, replicas: 2, updatedReplicas: 1, availableReplicas: 1, ...status },
})
const whole = deployment({ replicas: 1 })
const condition = (type: string, status: "True" | "False", more: object = {}) => ({ type, status, ...more })
const late = condition("Progressing", "False", { reason: "ProgressDeadlineExceeded" })
const noneMade = (message: string) => condition("ReplicaFailure", "True", { message })

const pod = (name: string, of: string, status: Pod["status"], more: object = {}): Pod => ({
  ...{ apiVersion: "v1", kind: "Pod" },
  metadata: { name, uid: name, labels: labelled(of), creationTimestamp: new Date().toISOString(), ...more },
  ...(status && { status }),
})
const readyStatus = {
  phase: "Running",
  conditions: [condition("Ready", "True")],
  containerStatuses: [
    { name: "web", ready: true, restartCount: 0, state: { running: { startedAt: "2020-01-01T00:00:00Z" } } },
  ],
} as const
const ready = (name = "new") => pod(name, key, readyStatus)
const going = () => pod("old", "key-a", readyStatus, { deletionTimestamp: "2026-01-01T00:00:00Z" })
const noRoom = (): Pod =>
  pod("new", key, {
    phase: "Pending",
    conditions: [
      condition("PodScheduled", "False", {
        reason: "Unschedulable",
        message: "0/1 nodes are available: 1 Insufficient memory.",
        lastTransitionTime: "2020-01-01T00:00:00Z",
      }),
    ],
  })
const fetching = () =>
  pod("new", key, {
    phase: "Pending",
    containerStatuses: [
      { name: "web", ready: false, restartCount: 0, state: { waiting: { reason: "ContainerCreating" } } },
    ],
  })

interface State {
  readonly deployment?: Deployment
  readonly pods: readonly Pod[]
}

/** Follows a rollout whose cluster is like this after so many seconds. @returns the fault's code and kind, or "rolled" */
async function follow(states: (seconds: number) => State) {
  const began = performance.now()
  const now = () => states((performance.now() - began) / 1000)
  const cluster = {
    read: () => Promise.resolve(undefined),
    list: ({ kind }: { readonly kind: string }) =>
      Promise.resolve(kind === "Pod" ? now().pods : [now().deployment].filter((d) => d !== undefined)),
  }
  const place = { cluster: cluster as never, namespace: "shop-test" }
  const scene = { ...place, service: "web", departures: departures(place.cluster, place.namespace) } as unknown as Scene
  const target = {
    ...{ environment: "test", service: "web", logs: () => Promise.resolve("") },
    describe: async () => instancesNow(scene, await readPods(scene), noTraffic),
  } as unknown as Target
  const order: RollOrder = {
    ...{ release, replicas: 1, strategy: RollingStrategy.parse({ kind: "rolling", progressDeadlineSeconds: 300 }) },
    ...{ signal: new AbortController().signal, tell: () => undefined, keepLog: () => Promise.resolve() },
  }
  const end = await untilRolled(scene, target, order, "blue").then(
    () => "rolled",
    ({ code, kind }: Fault) => `${code} ${kind}`,
  )
  return { end, seconds: Math.round((performance.now() - began) / 1000) }
}

it("the record of an evicted pod of the release before is nobody that has to go", async () => {
  const evicted = pod("evicted", "key-a", { phase: "Failed", reason: "Evicted" })
  expect(await follow(() => ({ deployment: whole, pods: [evicted, ready()] }))).toEqual({ end: "rolled", seconds: 0 })
})

it("an evicted pod of the new release is replaced, and no fault of the release", async () => {
  const evicted = pod("evicted", key, { phase: "Failed", reason: "Evicted" })
  const followed = await follow((s) =>
    s < 20
      ? { deployment: deployment(), pods: [evicted, fetching()] }
      : { deployment: whole, pods: [evicted, ready()] },
  )
  expect(followed.end).toBe("rolled")
})

describe("a pod that no node has room for", () => {
  it("ends the wait where nobody makes room", async () => {
    const followed = await follow(() => ({ deployment: deployment(), pods: [noRoom()] }))
    expect(followed).toEqual({ end: "DEPLOY-CANNOT-RUN errored", seconds: 0 })
  })
  it("is waited for as long as one of the release before drains, and until the scheduler has looked again", async () => {
    const followed = await follow((s) => {
      if (s < 30) return { deployment: deployment(), pods: [going(), noRoom()] }
      return s < 40 ? { deployment: deployment(), pods: [noRoom()] } : { deployment: whole, pods: [ready()] }
    })
    expect(followed.end).toBe("rolled")
  })
  it("is not waited for for ever after that", async () => {
    const followed = await follow((s) => ({
      deployment: deployment(),
      pods: s < 30 ? [going(), noRoom()] : [noRoom()],
    }))
    expect(followed.end).toBe("DEPLOY-CANNOT-RUN errored")
    expect(followed.seconds).toBeLessThan(60)
  })
})

describe("a quota", () => {
  const full = () => deployment({ conditions: [noneMade("exceeded quota: tight")] })
  it("is believed when it lasts", async () => {
    const followed = await follow(() => ({ deployment: full(), pods: [] }))
    expect(followed.end).toBe("K8S-QUOTA errored")
    expect(followed.seconds).toBeLessThan(10)
  })
  it("that is full of pods that leave is waited for", async () => {
    const followed = await follow((s) =>
      s < 30 ? { deployment: full(), pods: [going()] } : { deployment: whole, pods: [ready()] },
    )
    expect(followed.end).toBe("rolled")
  })
})

describe("a deadline", () => {
  it("of an earlier time is not taken for this rollout's", async () => {
    const followed = await follow((s) =>
      s < 20
        ? { deployment: deployment({ conditions: [late] }), pods: [fetching()] }
        : { deployment: whole, pods: [ready()] },
    )
    expect(followed.end).toBe("rolled")
  })
  it("that is over while images are on their way is the place's fault", async () => {
    const born = fetching()
    const followed = await follow((s) => ({
      deployment: deployment(s < 300 ? {} : { conditions: [late] }),
      pods: [born],
    }))
    expect(followed).toMatchObject({ end: "DEPLOY-CANNOT-RUN errored" })
    expect(followed.seconds).toBeGreaterThanOrEqual(300)
  })
  it("that is over while instances stop being ready is the release's", async () => {
    const began = new Date().toISOString()
    const state = { running: { startedAt: began } }
    const followed = await follow((s) => {
      const unready = { ...readyStatus, conditions: [condition("Ready", "False")] }
      const bad = { ...unready, containerStatuses: [{ name: "web", ready: false, restartCount: 0, state }] }
      // Ready now and then, so that it is never late.
      return {
        deployment: deployment(s < 300 ? {} : { conditions: [late] }),
        pods: [s % 50 < 40 ? ready() : pod("new", key, { ...bad, startTime: new Date().toISOString() })],
      }
    })
    expect(followed.end).toMatch(/^DEPLOY-(STUCK|NOT-READY) failed$/)
  })
})

it("a Deployment that nobody looks after, or that somebody removed, does not keep anybody waiting for ever", async () => {
  expect(await follow(() => ({ deployment: deployment({ observedGeneration: 1 }), pods: [] }))).toMatchObject({
    end: "K8S-SILENT errored",
  })
  expect(await follow(() => ({ pods: [] }))).toMatchObject({ end: "K8S-SILENT errored" })
})
