import { isGoing, conditionOf, isTrue, type Condition, type Deployment, type Job } from "../kinds.js"
import type { KubernetesObject } from "../object.js"
import { isObserved, isRolled } from "../rollout-status.js"
import { failureOf } from "../trouble.js"
import { isJob } from "./marks.js"

/** How far a workload is. */
export interface Progress {
  readonly done: boolean
  /** For people: "1 of 2 updated, 0 ready". */
  readonly text: string
  /** It will not be, in the cluster's words. */
  readonly failed?: string
  /** The cluster makes no pods of it, in its words: a quota, a policy. */
  readonly notMade?: string
}

interface StatefulSet extends KubernetesObject {
  readonly spec: {
    readonly replicas?: number
    readonly updateStrategy?: { readonly type?: string; readonly rollingUpdate?: { readonly partition?: number } }
  }
  readonly status?: {
    readonly observedGeneration?: number
    readonly updatedReplicas?: number
    readonly readyReplicas?: number
    readonly currentRevision?: string
    readonly updateRevision?: string
  }
}

interface DaemonSet extends KubernetesObject {
  readonly spec: { readonly updateStrategy?: { readonly type?: string } }
  readonly status?: {
    readonly observedGeneration?: number
    readonly desiredNumberScheduled?: number
    readonly updatedNumberScheduled?: number
    readonly numberAvailable?: number
  }
}

/** How far a Deployment, StatefulSet, DaemonSet or Job is; as `kubectl rollout status` has it (kubectl/pkg/polymorphichelpers). Pure. */
export function progressOf(object: KubernetesObject): Progress {
  switch (object.kind) {
    case "Deployment":
      return ofDeployment(object as Deployment)
    case "StatefulSet":
      return ofStatefulSet(object as StatefulSet)
    case "DaemonSet":
      return ofDaemonSet(object as DaemonSet)
    case "Job":
      return ofJob(object as Job)
    default:
      return { done: true, text: "applied" }
  }
}

/**
 * What there is to say of an object that is not there, or will not be in a moment; undefined: it is there. A Job that is over may
 * clear itself away (ttlSecondsAfterFinished). Pure. @param there as it is now
 */
export function absenceOf(wanted: KubernetesObject, there: KubernetesObject | undefined): Progress | undefined {
  if (there === undefined) return { done: isJob(wanted), text: "it is gone" }
  if (!isGoing(there) || (isJob(there) && isOver(there as Job))) return undefined
  return { done: false, text: "it is being deleted" }
}

const isOver = ({ status }: Job) => isTrue(status?.conditions, "Complete") || isTrue(status?.conditions, "Failed")

function ofDeployment(object: Deployment): Progress {
  const { spec, status } = object
  const wanted = spec.replicas ?? 1
  const text = `${status?.updatedReplicas ?? 0} of ${wanted} updated, ${status?.availableReplicas ?? 0} available`
  const progressing: Condition | undefined = conditionOf(status?.conditions, "Progressing")
  const stuck = isObserved(object) && progressing?.reason === "ProgressDeadlineExceeded"
  const notMade = failureOf(object)
  return {
    done: isRolled(object),
    text,
    ...(stuck ? { failed: progressing.message ?? "it has exceeded its progress deadline" } : {}),
    ...(notMade === undefined ? {} : { notMade }),
  }
}

function ofStatefulSet(object: StatefulSet): Progress {
  const { spec, status } = object
  const wanted = spec.replicas ?? 1
  const [updated, ready] = [status?.updatedReplicas ?? 0, status?.readyReplicas ?? 0]
  const { type = "RollingUpdate", rollingUpdate } = spec.updateStrategy ?? {}
  const partition = rollingUpdate?.partition ?? 0
  const whole = partition > 0 || status?.updateRevision === status?.currentRevision
  // On the way back from a revision that was never complete, both are the same from the start, and the pods are not.
  const rolled = type === "OnDelete" || (whole && updated >= wanted - partition)
  return {
    done: isObserved(object) && ready >= wanted && rolled,
    text: `${updated} of ${wanted} updated, ${ready} ready`,
  }
}

function ofDaemonSet(object: DaemonSet): Progress {
  const { spec, status } = object
  const wanted = status?.desiredNumberScheduled ?? 0
  const [updated, available] = [status?.updatedNumberScheduled ?? 0, status?.numberAvailable ?? 0]
  const rolled = spec.updateStrategy?.type === "OnDelete" || updated >= wanted
  return {
    done: isObserved(object) && rolled && available >= wanted,
    text: `${updated} of ${wanted} updated, ${available} available`,
  }
}

function ofJob({ spec, status }: Job): Progress {
  if (spec.suspend === true) return { done: true, text: "suspended" }
  const failed = conditionOf(status?.conditions, "Failed")
  return {
    done: isTrue(status?.conditions, "Complete"),
    text: `${status?.succeeded ?? 0} succeeded, ${status?.active ?? 0} running, ${status?.failed ?? 0} failed`,
    ...(failed?.status === "True" ? { failed: failed.message ?? failed.reason ?? "it failed" } : {}),
  }
}
