import { conditionOf, type ContainerStatus, type Deployment, type Pod, type Terminated } from "./kinds.js"

/** Why waiting for a pod has no use. */
export interface Trouble {
  readonly kind: "image" | "config" | "unschedulable" | "crash"
  /** In the cluster's words. */
  readonly text: string
  /** It lasted for long and may be over later all the same: a registry that is down. */
  readonly passing?: true
}

/** Waiting reasons of the kubelet (pkg/kubelet/images/types.go, pkg/kubelet/kuberuntime/kuberuntime_container.go). */
const imageReasons = new Set(["InvalidImageName", "ErrImageNeverPull", "ImageInspectError"])
/** A pull that failed, and the pause before the next one. From 1.32 on the second says as well what the first one said. */
const pullReasons = new Set(["ErrImagePull", "ImagePullBackOff"])
const configReasons = new Set([
  "CreateContainerConfigError",
  "CreateContainerError",
  "RunContainerError",
  "ConfigError",
])

/** How long a pull may fail for what passes, since the pod was given to its node. Seconds. */
const pullSeconds = 90

/** The scheduler may be a moment behind what it could use: what ends at this very moment, say. Seconds. */
const schedulerSeconds = 5

/** What ends the wait for a pod at once; undefined: it may yet become ready. Pure. @param now milliseconds since 1970 */
export function troubleOf(pod: Pod, now: number): Trouble | undefined {
  for (const status of statusesOf(pod)) {
    const { reason = "", message = "" } = status.state?.waiting ?? {}
    const text = message === "" ? reason : `${reason}: ${message}`
    if (imageReasons.has(reason)) return { kind: "image", text }
    if (pullReasons.has(reason)) {
      // What is not there, or not for us, will not come; a registry or a network that is down for a while may.
      if (isFinal(message)) return { kind: "image", text }
      if (now - bornAt(pod) > pullSeconds * 1000) return { kind: "image", text, passing: true }
    }
    if (configReasons.has(reason)) return { kind: "config", text }
    if (reason === "CrashLoopBackOff") return { kind: "crash", text }
  }
  const scheduled = conditionOf(pod.status?.conditions, "PodScheduled")
  if (scheduled?.status === "False" && scheduled.reason === "Unschedulable") {
    const since = Date.parse(scheduled.lastTransitionTime ?? pod.metadata.creationTimestamp ?? "")
    if (!(now - since < schedulerSeconds * 1000)) {
      return { kind: "unschedulable", text: scheduled.message ?? "Unschedulable" }
    }
  }
  return undefined
}

const isFinal = (message: string) => /not found|manifest unknown|unauthorized|denied|forbidden/i.test(message)

/** How the service's container ended last, if it ever did. */
export function lastEnd(pod: Pod): Terminated | undefined {
  // With several containers, the one that is in trouble.
  const status = statusesOf(pod).find((s) => s.state?.waiting?.reason === "CrashLoopBackOff") ?? mainContainer(pod)
  return status?.state?.terminated ?? status?.lastState?.terminated
}

/** Containers in the order in which they start. */
const statusesOf = ({ status }: Pod): readonly ContainerStatus[] => [
  ...(status?.initContainerStatuses ?? []),
  ...(status?.containerStatuses ?? []),
]

/**
 * When all its containers had been started, in milliseconds since 1970; undefined: one of them never was. What a node takes to
 * fetch an image is the place's time, not the service's. One that was started again counts from its start before that.
 */
export function begunAt(pod: Pod | undefined): number | undefined {
  const all = pod?.status?.containerStatuses ?? []
  const starts = all.map(({ state, lastState }) => {
    const known = [lastState?.terminated, state?.terminated, state?.running].flatMap((s) => s?.startedAt ?? [])
    return known.length === 0 ? undefined : Math.min(...known.map((at) => Date.parse(at)))
  })
  const begun = starts.filter((at) => at !== undefined)
  return begun.length === 0 || begun.length < all.length ? undefined : Math.max(...begun)
}

/** How long it has run, or as long as it does not, how long it has been there. Seconds. */
export function ageOf(pod: Pod | undefined, now: number): number {
  return Math.max(0, (now - (begunAt(pod) ?? bornAt(pod))) / 1000)
}

const bornAt = (pod: Pod | undefined) => Date.parse(pod?.status?.startTime ?? pod?.metadata.creationTimestamp ?? "")

export const mainContainer = (pod: Pod): ContainerStatus | undefined => pod.status?.containerStatuses?.[0]

export const isOutOfMemory = (end: Terminated | undefined): boolean => end?.reason === "OOMKilled"

/** Why the cluster makes no more pods of a Deployment: a quota, an admission policy. Undefined: it makes them. */
export function failureOf(deployment: Deployment): string | undefined {
  const failure = conditionOf(deployment.status?.conditions, "ReplicaFailure")
  return failure?.status === "True" ? (failure.message ?? failure.reason ?? "no pod can be made") : undefined
}
