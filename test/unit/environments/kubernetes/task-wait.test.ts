import { describe, expect, it } from "vitest"
import { untilEnded, untilRemoved } from "../../../../environments/kubernetes/task-wait.js"
import { withoutWaiting } from "../../../fakes/no-waiting.js"

withoutWaiting()

type Fields = Readonly<Record<string, unknown>>
/** The cluster at a moment. */
interface Now {
  /** Of the Job's status. */
  readonly over?: string
  readonly pod?: Fields | undefined
  readonly said?: string | undefined
}

const jobOf = (spec: Fields, over?: string, annotations: Fields = {}) => ({
  ...{ apiVersion: "batch/v1", kind: "Job", spec },
  metadata: { name: "web-migration", uid: "job", resourceVersion: "7", annotations },
  status: { conditions: over === undefined ? [] : [{ type: "Failed", status: "True", reason: over }] },
})
const podOf = (state: Fields, more: Fields = {}) => ({
  ...{ apiVersion: "v1", kind: "Pod", spec: { nodeName: "n1" } },
  metadata: { name: "web-migration-x", uid: "p", ...more },
  status: {
    phase: "running" in state ? "Running" : "Pending",
    containerStatuses: [{ name: "migration", ready: false, restartCount: 0, state }],
  },
})
const going = { deletionTimestamp: "2026-01-01T00:00:00Z" }

/** Waits in a cluster that is so after so many seconds, and does with what it is told as `told` says. */
async function waits(
  now: (seconds: number, spec: Fields) => Now,
  options: { readonly spec?: Fields; readonly annotations?: Fields; readonly changed?: boolean } = {},
) {
  let spec: Fields = { suspend: false, activeDeadlineSeconds: 360, ...options.spec }
  let changes = options.changed === true ? 1 : 0
  const patches: Fields[] = []
  const began = performance.now()
  const seconds = () => (performance.now() - began) / 1000
  const cluster = {
    read: () => Promise.resolve(jobOf(spec, now(seconds(), spec).over, options.annotations)),
    list: ({ kind }: { readonly kind: string }) => {
      const { pod, said } = now(seconds(), spec)
      if (kind === "Pod") return Promise.resolve(pod === undefined ? [] : [pod])
      const lastTimestamp = new Date().toISOString()
      return Promise.resolve(said === undefined ? [] : [{ message: said, lastTimestamp }])
    },
    patch: (_: object, patch: { readonly spec: Fields; readonly metadata?: Fields }) => {
      if (patch.metadata?.["resourceVersion"] !== undefined && changes-- > 0) return Promise.resolve(undefined)
      patches.push(patch)
      spec = { ...spec, ...patch.spec }
      return Promise.resolve({})
    },
  }
  const outcome = await untilEnded({
    cluster: cluster as never,
    ...{ namespace: "shop-test", job: "web-migration", timeoutSeconds: 60, signal: new AbortController().signal },
  }).then(
    ({ what }) => what,
    (error: Error) => error.name,
  )
  return { outcome, patches, seconds: Math.round(seconds()) }
}

describe("a migration for which the cluster makes no pod", () => {
  const quota = 'pods "web-migration-x" is forbidden: exceeded quota: tight'
  it.each([
    [quota, "K8S-QUOTA", "errored", 10],
    ['pods "x" is forbidden: violates PodSecurity "restricted:latest"', "K8S-DENIED", "failed", 10],
    ['failed calling webhook "w.example": no route', "K8S-WEBHOOK", "errored", 70],
  ])("is called off, and has never begun: %s", async (said, code, kind, within) => {
    const { outcome, patches, seconds } = await waits(() => ({ said }))
    expect(outcome).toMatchObject({ begun: false, cause: { code, kind } })
    expect(patches).toEqual([{ metadata: { resourceVersion: "7" }, spec: { suspend: true } }])
    expect(seconds).toBeLessThan(within)
  })
  it("is given the moment in which the cluster may still speak of before", async () => {
    const end = { waiting: { reason: "ContainerCreating" } }
    const { patches } = await waits((s) =>
      s < 1 ? { said: quota } : { pod: podOf(end, going), ...(s > 5 ? { over: "BackoffLimitExceeded" } : {}) },
    )
    expect(patches).toEqual([])
  })
  it("is not called off when it has changed since it was looked at: its pod may be there", async () => {
    const run = podOf({ running: { startedAt: new Date().toISOString() } })
    const { outcome, patches } = await waits(
      (s) => (s < 3.5 ? { said: quota } : { pod: run, ...(s > 9 ? { over: "DeadlineExceeded" } : {}) }),
      { changed: true },
    )
    expect(patches).toEqual([])
    expect(outcome).toMatchObject({ timedOut: true })
  })
})

describe("a migration whose image cannot be had", () => {
  const noImage = { waiting: { reason: "ErrImagePull", message: "manifest unknown: not found" } }
  it("is called off with its pod written down, and has never begun", async () => {
    let since: number | undefined
    const { outcome, patches } = await waits((s, spec) => {
      if (spec["suspend"] !== true) return { pod: podOf(noImage) }
      since ??= s
      return s - since > 2 ? {} : { pod: podOf(noImage, going) }
    })
    expect(outcome).toMatchObject({ begun: false, cause: { code: "K8S-TASK", kind: "errored" } })
    expect(patches[0]).toMatchObject({ metadata: { annotations: { "gantry.dev/called-off": "p" } } })
  })
  it("may have begun when its image came at that very moment", async () => {
    let looks = 0
    const run = { running: { startedAt: new Date().toISOString() } }
    const { outcome } = await waits((_, spec) => {
      if (spec["suspend"] !== true) return { pod: podOf(noImage) }
      return looks++ > 6 ? {} : { pod: podOf(run, going) }
    })
    expect(outcome).toMatchObject({ begun: true, cause: { code: "K8S-TASK-LOST" } })
  })
  it("that another process called off may have begun, when its pod is gone", async () => {
    const left = { spec: { suspend: true }, annotations: { "gantry.dev/called-off": "p" } }
    expect((await waits(() => ({}), left)).outcome).toMatchObject({ begun: true })
  })
})

describe("a migration's time", () => {
  it("begins with its command, not with what prepares it", async () => {
    let startedAt: string | undefined
    const { outcome, patches, seconds } = await waits((s, spec) => {
      if (s < 100) return { pod: podOf({ waiting: { reason: "ContainerCreating" } }) }
      startedAt ??= new Date().toISOString()
      const ended = spec["activeDeadlineSeconds"] === 1
      return {
        pod: podOf({ running: { startedAt } }, ended ? going : {}),
        ...(ended ? { over: "DeadlineExceeded" } : {}),
      }
    })
    expect(patches).toEqual([{ spec: { activeDeadlineSeconds: 1 } }])
    expect(outcome).toMatchObject({ timedOut: true })
    expect(seconds).toBeGreaterThanOrEqual(160)
  })
  it("was over before it began: it has not failed", async () => {
    const pulling = { waiting: { reason: "ContainerCreating" } }
    const { outcome } = await waits((s) =>
      s < 360 ? { pod: podOf(pulling) } : { pod: podOf(pulling, going), over: "DeadlineExceeded" },
    )
    expect(outcome).toMatchObject({ begun: false, cause: { code: "K8S-TASK", kind: "errored" } })
  })
  it("is no reason to wait for ever for a pod that does not go", async () => {
    const run = { running: { startedAt: new Date(0).toISOString() } }
    const { outcome, seconds } = await waits(() => ({ pod: podOf(run) }))
    expect(outcome).toBe("K8S-TASK-STAYS")
    expect(seconds).toBeLessThan(130)
  })
})

it("a pod that does not go ends the wait for a Job that is removed", async () => {
  const cluster = { read: () => Promise.resolve(undefined), list: () => Promise.resolve([podOf({})]) }
  const removed = untilRemoved({ cluster: cluster as never, namespace: "shop-test", job: "web-migration" })
  await expect(removed).rejects.toMatchObject({ code: "K8S-TASK-STAYS", kind: "errored" })
})
