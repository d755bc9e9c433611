import { describe, expect, it } from "vitest"
import { begunOf, endingOf, startedAt } from "../../../../environments/kubernetes/task-end.js"
import type { ContainerStatus, Job, Pod } from "../../../../environments/kubernetes/kinds.js"

const start = "2026-01-01T00:00:00Z"
const finish = "2026-01-01T00:00:07Z"
const job = (type?: string, reason = "BackoffLimitExceeded"): Job => ({
  ...{ apiVersion: "batch/v1", kind: "Job", metadata: { name: "web-migration" }, spec: {} },
  status: { conditions: type === undefined ? [] : [{ type, status: "True", reason, message: "said" }] },
})
const overdue = job("Failed", "DeadlineExceeded")
const container = (state: ContainerStatus["state"], name = "migration"): ContainerStatus => ({
  ...{ name, ready: false, restartCount: 0 },
  ...(state && { state }),
})
interface Said {
  readonly status?: Pod["status"]
  readonly going?: boolean
  readonly node?: string
}
const pod = ({ status = {}, going = false, node = "n1" }: Said = {}): Pod => ({
  ...{ apiVersion: "v1", kind: "Pod", spec: node === "" ? {} : { nodeName: node }, status },
  metadata: { name: "web-migration-x", uid: "p", ...(going ? { deletionTimestamp: finish } : {}) },
})
const running = { containerStatuses: [container({ running: { startedAt: start } })] }
const pulling = { containerStatuses: [container({ waiting: { reason: "ContainerCreating" } })] }
const ended = (exitCode: number, reason = "Error") => ({
  phase: "Failed" as const,
  containerStatuses: [container({ terminated: { exitCode, reason, startedAt: start, finishedAt: finish } })],
})
const unknown = (message: string) => ({
  phase: "Failed" as const,
  containerStatuses: [container({ terminated: { exitCode: 137, reason: "ContainerStatusUnknown", message } })],
})
const evicted = { phase: "Failed" as const, reason: "Evicted", message: "The node was low on resource: memory." }
const target = (reason: string) => ({ conditions: [{ type: "DisruptionTarget", status: "True" as const, reason }] })

describe("a task whose command said how it ended", () => {
  it("is done, has failed, or took too long", () => {
    expect(endingOf(job(), pod({ status: running }))).toBeUndefined()
    expect(endingOf(job("Complete"), pod({ status: ended(0) }))).toMatchObject({ exitCode: 0, seconds: 7 })
    expect(endingOf(job("Failed"), pod({ status: ended(3) }))).toMatchObject({ exitCode: 3, timedOut: false })
    expect(endingOf(overdue, pod({ status: running, going: true }))).toMatchObject({ timedOut: true })
    expect(endingOf(overdue, undefined)).toMatchObject({ timedOut: true })
  })
  it("has not timed out when it ended by itself just before", () => {
    expect(endingOf(overdue, pod({ status: ended(3) }))).toMatchObject({ exitCode: 3, timedOut: false })
  })
  it("has failed when the image has no such command; it did not run since 1970", () => {
    const at = { startedAt: "1970-01-01T00:00:00Z", finishedAt: finish }
    const status = {
      ...{ phase: "Failed" as const },
      containerStatuses: [container({ terminated: { exitCode: 128, reason: "StartError", ...at } })],
    }
    expect(endingOf(job("Failed"), pod({ status }))).toMatchObject({ exitCode: 128, seconds: 0 })
  })
})

describe("a task that the cluster lost has not failed", () => {
  it.each([
    ["evicted before its command ran", { ...evicted, ...pulling }, "Evicted"],
    ["refused by its node", { ...evicted, reason: "OutOfcpu" }, "OutOfcpu"],
    ["its image came too late", { phase: "Failed" as const, ...pulling }, "ContainerCreating"],
  ])("%s: it never began", (_, status, why) => {
    expect(endingOf(job("Failed"), pod({ status }))).toEqual({
      begun: false,
      why: expect.stringContaining(why) as string,
    })
  })
  it("its time was over while its image was fetched, or no node had room: it never began", () => {
    expect(endingOf(overdue, pod({ status: pulling, going: true }))).toMatchObject({ begun: false })
    expect(endingOf(overdue, pod({ node: "" }))).toMatchObject({ begun: false })
  })
  it.each([
    ["evicted while it ran", { ...ended(137), ...evicted }],
    ["drained while it ran", { ...ended(143), ...target("EvictionByEvictionAPI") }],
    ["its node knows nothing of it any more", unknown("The container used to be Running")],
  ])("%s: nobody knows how far it came", (_, status) => {
    expect(endingOf(job("Failed"), pod({ status }))).toMatchObject({ begun: true })
  })
  it("was never seen, or ran when it was last seen: nobody knows how far it came", () => {
    expect(endingOf(job("Failed"), undefined)).toMatchObject({ begun: true })
    expect(endingOf(job("Failed"), pod({ status: running }))).toMatchObject({ begun: true })
  })
})

describe("that a command was never started", () => {
  it("is certain only when nothing can start it any more", () => {
    expect(begunOf(pod({ status: pulling }))).toBe("unknown")
    expect(begunOf(pod({ status: pulling, going: true }))).toBe("never")
    expect(begunOf(pod({ status: unknown("could not be located when the pod was terminated") }))).toBe("never")
  })
  it("is not taken from a node that does not answer", () => {
    expect(begunOf(pod({ status: { ...pulling, ...target("DeletionByTaintManager") }, going: true }))).toBe("unknown")
  })
  it("is said by its own container, not by those that were put beside it", () => {
    const beside = container({ running: { startedAt: start } }, "a-proxy")
    const [own] = pulling.containerStatuses
    expect(startedAt(pod({ status: { containerStatuses: [beside, own as ContainerStatus] } }))).toBeUndefined()
    const waiting = container({ waiting: { reason: "ContainerCreating" } }, "a-proxy")
    expect(startedAt(pod({ status: { containerStatuses: [waiting, ...running.containerStatuses] } }))).toBeDefined()
  })
})
