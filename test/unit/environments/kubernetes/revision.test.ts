import { expect, it } from "vitest"
import type { Pod } from "../../../../environments/kubernetes/kinds.js"
import type { KubernetesObject } from "../../../../environments/kubernetes/object.js"
import { revisionOf } from "../../../../environments/kubernetes/revision.js"

interface Told {
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownedBy?: string
  /** Generations: of the object, and as its controller has seen it. */
  readonly generation?: number
  readonly observed?: number
  readonly updateRevision?: string
}
const object = (kind: string, told: Told): KubernetesObject => ({
  apiVersion: kind === "Pod" ? "v1" : "apps/v1",
  kind,
  metadata: {
    name: "cache",
    uid: kind,
    generation: told.generation ?? 2,
    ...(told.labels && { labels: told.labels }),
    ...(told.annotations && { annotations: told.annotations }),
    ...(told.ownedBy && { ownerReferences: [{ kind: told.ownedBy, name: "cache", uid: told.ownedBy }] }),
  },
  status: { observedGeneration: told.observed ?? 2, updateRevision: told.updateRevision },
})
const pod = (ownedBy: string, labels: Told["labels"] = {}) => object("Pod", { ownedBy, labels }) as Pod
const counted = (revision: string) => ({ annotations: { "deployment.kubernetes.io/revision": revision } })
const daemon = (generation: string, more: Told = {}) =>
  object("DaemonSet", { ...more, annotations: { "deprecated.daemonset.template.generation": generation } })
const set = (updateRevision: string, more: Told = {}) => object("StatefulSet", { updateRevision, ...more })
const replicas = (revision: string) => object("ReplicaSet", { ...counted(revision), ownedBy: "Deployment" })
const deployment = (revision: string, more: Told = {}) => object("Deployment", { ...counted(revision), ...more })

const ofSet = pod("StatefulSet", { "controller-revision-hash": "a" })
const ofDaemon = pod("DaemonSet", { "pod-template-generation": "1" })
const ofReplicas = pod("ReplicaSet")
const unseen = { generation: 3 }

it.each<[string, Pod, readonly KubernetesObject[], string]>([
  ["a StatefulSet's newest", ofSet, [set("a")], "wanted"],
  ["a StatefulSet's before", ofSet, [set("b")], "left"],
  [
    "a StatefulSet's whose controller has not looked: its status is of the declaration before",
    ofSet,
    [set("a", unseen)],
    "unheard",
  ],
  ["a DaemonSet's newest", ofDaemon, [daemon("1")], "wanted"],
  ["a DaemonSet's before", ofDaemon, [daemon("2")], "left"],
  ["a DaemonSet's whose controller has not looked", ofDaemon, [daemon("1", unseen)], "unheard"],
  ["a Deployment's newest", ofReplicas, [replicas("4"), deployment("4")], "wanted"],
  ["a Deployment's before", ofReplicas, [replicas("3"), deployment("4")], "left"],
  [
    "a Deployment's that goes back to a template of before, and has counted only that one up",
    ofReplicas,
    [replicas("4"), { ...replicas("5"), metadata: { ...replicas("5").metadata, uid: "other" } }, deployment("4")],
    "left",
  ],
  ["a Deployment's whose controller has not looked", ofReplicas, [replicas("4"), deployment("4", unseen)], "unheard"],
  ["a ReplicaSet's of its own", ofReplicas, [object("ReplicaSet", {})], "wanted"],
  ["a kind's that an operator counts its own way", pod("StrimziPodSet"), [object("StrimziPodSet", {})], "wanted"],
  ["nobody's", object("Pod", {}) as Pod, [set("b")], "wanted"],
])("a pod that is %s", (_, it, makers, expected) => {
  expect(revisionOf(it, makers)).toBe(expected)
})
