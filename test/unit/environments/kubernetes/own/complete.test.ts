import { describe, expect, it } from "vitest"
import { absenceOf, progressOf } from "../../../../../environments/kubernetes/own/complete.js"
import { podSelector } from "../../../../../environments/kubernetes/own/selector.js"

const object = (kind: string, spec: object, status?: object) => ({
  apiVersion: "apps/v1",
  kind,
  metadata: { name: "web", generation: 2 },
  spec: { template: {}, ...spec },
  ...(status && { status: { observedGeneration: 2, ...status } }),
})

describe("how far a workload is", () => {
  const whole = { replicas: 2, updatedReplicas: 2, availableReplicas: 2 }
  const set = { updatedReplicas: 2, readyReplicas: 2, currentRevision: "b", updateRevision: "b" }
  const daemons = { desiredNumberScheduled: 2, updatedNumberScheduled: 2, numberAvailable: 2 }
  it.each([
    ["a Deployment without status", object("Deployment", { replicas: 2 }), false],
    ["a Deployment that is whole", object("Deployment", { replicas: 2 }, whole), true],
    [
      "one whose controller has not seen it",
      object("Deployment", { replicas: 2 }, { ...whole, observedGeneration: 1 }),
      false,
    ],
    ["one with an old pod left", object("Deployment", { replicas: 2 }, { ...whole, replicas: 3 }), false],
    ["a StatefulSet that is whole", object("StatefulSet", { replicas: 2 }, set), true],
    ["one between two revisions", object("StatefulSet", { replicas: 2 }, { ...set, currentRevision: "a" }), false],
    [
      "one that goes back, with the pods of the revision that it leaves",
      object("StatefulSet", { replicas: 2 }, { ...set, updatedReplicas: 1 }),
      false,
    ],
    ["one with a pod that is not ready", object("StatefulSet", { replicas: 2 }, { ...set, readyReplicas: 1 }), false],
    [
      "one that is updated down to its partition",
      object(
        "StatefulSet",
        { replicas: 2, updateStrategy: { rollingUpdate: { partition: 1 } } },
        { ...set, updatedReplicas: 1, currentRevision: "a" },
      ),
      true,
    ],
    ["a DaemonSet that is whole", object("DaemonSet", {}, daemons), true],
    ["one with an old pod", object("DaemonSet", {}, { ...daemons, updatedNumberScheduled: 1 }), false],
    [
      "one whose pods a person replaces",
      object("DaemonSet", { updateStrategy: { type: "OnDelete" } }, { ...daemons, updatedNumberScheduled: 0 }),
      true,
    ],
    ["a Job that runs", object("Job", {}, { active: 1 }), false],
    ["a Job that has done it", object("Job", {}, { conditions: [{ type: "Complete", status: "True" }] }), true],
    ["a Job that is suspended", object("Job", { suspend: true }), true],
    ["a kind without an end", object("CronJob", {}), true],
  ])("%s: %s", (_what, workload, done) => {
    expect(progressOf(workload).done).toBe(done)
  })

  it.each([
    ["a Deployment", object("Deployment", {}), "it is being deleted"],
    ["a Job that runs", { ...object("Job", {}), apiVersion: "batch/v1" }, "it is being deleted"],
    // It clears itself away: what it says counts to the last.
    [
      "a Job that is over",
      { ...object("Job", {}, { conditions: [{ type: "Complete", status: "True" }] }), apiVersion: "batch/v1" },
      undefined,
    ],
  ])("%s that is being deleted is not there any more", (_what, workload, text) => {
    const going = { ...workload, metadata: { ...workload.metadata, deletionTimestamp: "2026-01-01T00:00:00Z" } }
    expect(absenceOf(workload, going)?.text).toBe(text)
    expect(absenceOf(workload, workload)).toBeUndefined()
  })

  it("says what will never be", () => {
    const condition = (type: string, status: string, reason: string, message: string) => ({
      type,
      status,
      reason,
      message,
    })
    const late = condition("Progressing", "False", "ProgressDeadlineExceeded", "has timed out")
    expect(progressOf(object("Deployment", {}, { conditions: [late] })).failed).toBe("has timed out")
    const quota = condition("ReplicaFailure", "True", "FailedCreate", "exceeded quota: q")
    expect(progressOf(object("Deployment", {}, { conditions: [quota] })).notMade).toBe("exceeded quota: q")
    const failed = condition("Failed", "True", "BackoffLimitExceeded", "reached its limit")
    expect(progressOf(object("Job", {}, { conditions: [failed] }))).toMatchObject({
      done: false,
      failed: "reached its limit",
    })
  })
})

describe("the pods of a workload", () => {
  it.each([
    ["a Job's", { kind: "Job" }, "batch.kubernetes.io/job-name=web"],
    ["by labels", { spec: { selector: { matchLabels: { app: "web", tier: "a" } } } }, "app=web,tier=a"],
    [
      "by expressions",
      {
        spec: {
          selector: {
            matchExpressions: [
              { key: "a", operator: "In", values: ["1", "2"] },
              { key: "b", operator: "NotIn", values: ["3"] },
              { key: "c", operator: "Exists" },
              { key: "d", operator: "DoesNotExist" },
            ],
          },
        },
      },
      "a in (1,2),b notin (3),c,!d",
    ],
    ["none", { spec: {} }, undefined],
  ])("%s", (_what, more, expected) => {
    expect(podSelector({ apiVersion: "apps/v1", kind: "Deployment", metadata: { name: "web" }, ...more })).toBe(
      expected,
    )
  })
})
