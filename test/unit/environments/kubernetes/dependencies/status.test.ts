import { describe, expect, it } from "vitest"
import {
  hasHeard,
  isAwaited,
  isCustom,
  progressOfAny,
  valueAt,
} from "../../../../../environments/kubernetes/dependencies/status.js"

const custom = (status?: object) => ({
  apiVersion: "databases.example.com/v1",
  kind: "Redis",
  metadata: { name: "cache", generation: 3 },
  ...(status && { status }),
})
const condition = (type: string, status: string, more: object = {}) => ({ conditions: [{ type, status, ...more }] })

describe("how far an object of an operator is", () => {
  it.each([
    ["nothing was made of it", custom(), 0, false, /made nothing/],
    ["without a status, something was made of it", custom(), 2, true, /2 made/],
    [
      "an earlier generation was seen",
      custom({ observedGeneration: 2, ...condition("Ready", "True") }),
      1,
      false,
      /2 of 3/,
    ],
    ["Ready", custom({ observedGeneration: 3, ...condition("Ready", "True") }), 1, true, /Ready/],
    [
      "not Ready, with a reason",
      custom(condition("Ready", "False", { message: "1 of 3 members" })),
      1,
      false,
      /1 of 3/,
    ],
    [
      "Ready is of an earlier generation",
      custom(condition("Ready", "True", { observedGeneration: 2 })),
      1,
      false,
      /earlier/,
    ],
    ["Available", custom(condition("Available", "True")), 0, true, /Available/],
    ["not Available", custom(condition("Available", "False", { reason: "NoPods" })), 1, false, /NoPods/],
    ["Reconciling", custom(condition("Reconciling", "True", { message: "scaling" })), 1, false, /scaling/],
    ["conditions of its own", custom(condition("BackupDone", "False")), 0, true, /accepted/],
  ])("%s", (_what, object, made, done, text) => {
    const progress = progressOfAny(object, [], made)
    expect(progress.done).toBe(done)
    expect(progress.text).toMatch(text)
  })

  it("stalled is told as what will not be", () => {
    expect(progressOfAny(custom(condition("Stalled", "True", { message: "no such class" })), [], 1)).toMatchObject({
      done: false,
      failed: "no such class",
    })
  })

  const online = { kind: "Redis", field: "status.cluster.state", is: "ONLINE" }
  it.each([
    ["what is declared is not there yet", custom({}), false, 'status.cluster.state is not set, not "ONLINE"'],
    [
      "it is something else",
      custom({ cluster: { state: "INIT" } }),
      false,
      'status.cluster.state is "INIT", not "ONLINE"',
    ],
    ["it is there", custom({ cluster: { state: "ONLINE" } }), true, "applied"],
  ])("%s", (_what, object, done, text) => {
    expect(progressOfAny(object, [online], 0)).toMatchObject({ done, text })
  })

  it("an expectation of another object says nothing about this one", () => {
    expect(progressOfAny(custom(), [{ ...online, name: "other" }], 0).text).toMatch(/made nothing/)
  })
})

it.each([
  ["says nothing of generations", { conditions: [{ type: "Ready", status: "True" }] }, false],
  ["has seen an earlier one", { observedGeneration: 2 }, false],
  ["has seen this one", { observedGeneration: 3 }, true],
  ["says it with a condition", condition("Ready", "True", { observedGeneration: 3 }), true],
])("whether an operator has heard of a change: it %s", (_what, status, heard) => {
  expect(hasHeard(custom(status))).toBe(heard)
})

describe("what is waited for", () => {
  const object = (apiVersion: string, kind: string) => ({ apiVersion, kind, metadata: { name: "x" } })
  it.each([
    ["apps/v1", "StatefulSet", true, false],
    ["batch/v1", "Job", true, false],
    ["v1", "Secret", false, false],
    ["networking.k8s.io/v1", "NetworkPolicy", false, false],
    ["rocketmq.apache.org/v1alpha1", "Broker", true, true],
    ["mysql.oracle.com/v2", "InnoDBCluster", true, true],
  ])("%s %s: %s", (apiVersion, kind, awaited, own) => {
    expect(isAwaited(object(apiVersion, kind), [])).toBe(awaited)
    expect(isCustom(object(apiVersion, kind))).toBe(own)
  })

  it("a field by its path", () => {
    expect(valueAt({ status: { ready: 3 } }, "status.ready")).toBe(3)
    expect(valueAt({ status: "up" }, "status.ready")).toBeUndefined()
  })
})
