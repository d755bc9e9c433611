import { describe, expect, it } from "vitest"
import type { Pod } from "../../../../../environments/kubernetes/kinds.js"
import { holdersOf } from "../../../../../environments/kubernetes/own/held.js"

const set = (spec: object = {}, over: object = {}) => ({
  ...{ apiVersion: "apps/v1", kind: "StatefulSet", spec: { replicas: 3, ...spec } },
  metadata: { name: "web", uid: "set", generation: 2 },
  status: { observedGeneration: 2, updateRevision: "a", ...over },
})
const states = {
  ready: { conditions: [{ type: "Ready", status: "True" }] },
  starting: { phase: "Running" },
  crashes: { containerStatuses: [{ name: "c", state: { waiting: { reason: "CrashLoopBackOff" } } }] },
  homeless: {
    conditions: [{ type: "PodScheduled", status: "False", reason: "Unschedulable", message: "no node is free" }],
  },
} as const
type State = keyof typeof states | "going"

const pod = (ordinal: number, revision: string, state: State) =>
  ({
    ...{ apiVersion: "v1", kind: "Pod", status: state === "going" ? {} : states[state] },
    metadata: {
      name: `web-${ordinal}`,
      uid: `${ordinal}`,
      labels: { "controller-revision-hash": revision },
      ownerReferences: [{ kind: "StatefulSet", name: "web", uid: "set" }],
      ...(state === "going" && { deletionTimestamp: "2026-01-01T00:00:00Z" }),
    },
  }) as unknown as Pod

/** Pods from 0 on, as in "a ready, b crashes". */
const podsOf = (text: string) => text.split(", ").map((one, i) => pod(i, one.charAt(0), one.slice(2) as State))
const held = (text: string, object = set()) =>
  holdersOf(object, podsOf(text), Date.now()).map((h) => `${h.pod.metadata.name} ${h.kind} ${h.seconds}`)

describe("what keeps a StatefulSet from going back from revision b to a", () => {
  it.each([
    ["b crashes", ["web-0 crash 0"]],
    ["a ready, b ready, b crashes", ["web-2 crash 0"]],
    ["b crashes, b crashes", ["web-0 crash 0", "web-1 crash 0"]],
    ["b homeless", ["web-0 unschedulable 60"]],
    ["b starting", ["web-0 not-ready 10"]],
    // One after the other, in the order of the controller.
    ["b starting, b starting", ["web-0 not-ready 10"]],
    ["a ready, b starting, b ready", ["web-1 not-ready 10"]],
  ])("%s: %j", (pods, expected) => {
    expect(held(pods)).toEqual(expected)
  })
  it.each([
    ["b ready, b ready, b ready"],
    ["b ready, b ready, a starting"],
    ["a crashes"],
    // It may need the one that comes, or goes: that has its turn first.
    ["b ready, b starting, a starting"],
    ["b ready, b starting, b going"],
  ])("nothing: %s", (pods) => {
    expect(held(pods)).toEqual([])
  })
  it("nobody can tell before its controller has looked at it", () => {
    expect(held("b crashes", set({}, { observedGeneration: 1 }))).toEqual([])
  })
  it("what stays as it is below a partition, or until somebody takes it away himself, is left alone", () => {
    expect(held("b crashes, b crashes", set({ updateStrategy: { rollingUpdate: { partition: 1 } } }))).toEqual([
      "web-1 crash 0",
    ])
    expect(held("b crashes", set({ updateStrategy: { type: "OnDelete" } }))).toEqual([])
    expect(held("b crashes", { ...set(), kind: "DaemonSet" })).toEqual([])
  })
})
