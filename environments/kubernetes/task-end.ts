import type { TaskEnd } from "../task.js"
import { isGoing, conditionOf, isTrue, type Job, type Pod, type Terminated } from "./kinds.js"
import { begunAt, isOutOfMemory, mainContainer } from "./trouble.js"

/** Whether the command of a task's pod has been started. never: that is certain. */
export type Begun = "never" | "yes" | "unknown"

/** No word of the command's: the place lost the task, or could not begin with it. */
export interface Lost {
  readonly begun: boolean
  /** In the cluster's words. */
  readonly why: string
}

/** Its container in the chart. Whoever admits pods may have put others beside it. */
const container = "migration"
/** pkg/kubelet/kubelet_pods.go: a container of which the node knows nothing any more; the exit code is made up. */
const unknownEnd = "ContainerStatusUnknown"
/** Reasons of DisruptionTarget where the pod's node was not asked: its last word about the containers may be an old one. */
const withoutNode = new Set(["DeletionByTaintManager", "DeletionByPodGC"])

/** When the command was started, milliseconds since 1970; undefined: not yet, as far as the pod says. Pure. */
export const startedAt = (pod: Pod): number | undefined => begunAt(alone(pod))

/** Pure. @param pod as it was last seen; undefined: it never was */
export function begunOf(pod: Pod | undefined): Begun {
  if (pod === undefined) return "unknown"
  const { status } = pod
  const ended = mainContainer(alone(pod))?.state?.terminated
  const wasSeen = ended?.reason === unknownEnd && /used to be running/i.test(ended.message ?? "")
  if (startedAt(pod) !== undefined || wasSeen) return "yes"
  if ((pod["spec"] as { readonly nodeName?: string } | undefined)?.nodeName === undefined) return "never"
  const disrupted = conditionOf(status?.conditions, "DisruptionTarget")
  if (disrupted?.status === "True" && withoutNode.has(disrupted.reason ?? "")) return "unknown"
  // Of a pod that goes, or has failed, its node starts no container any more; of any other it may just have done so.
  return isGoing(pod) || status?.phase === "Failed" ? "never" : "unknown"
}

/**
 * How a task's Job ended; undefined: it has not. What the command said by its exit code is kept apart from what became of the pod.
 * Pure. @param pod as it was last seen, though it may be gone by now
 */
export function endingOf(job: Job, pod: Pod | undefined): Omit<TaskEnd, "log"> | Lost | undefined {
  const failed = conditionOf(job.status?.conditions, "Failed")
  const end = pod && ownEnd(pod)
  if (isTrue(job.status?.conditions, "Complete")) return ended(end, 0, false)
  if (failed?.status !== "True") return undefined
  const said = `${failed.reason ?? "Failed"}: ${failed.message ?? "the Job failed"}`
  const begun = begunOf(pod)
  const disrupted = pod && disruptionOf(pod)
  if (begun === "never") return { begun: false, why: disrupted ?? [said, waitingOf(pod)].filter(Boolean).join("\n") }
  // One that ended by itself just in time does not go.
  const justInTime = end !== undefined && pod !== undefined && !isGoing(pod)
  if (failed.reason === "DeadlineExceeded" && !justInTime) {
    // Where nobody looked at all, it took too long: its time is counted generously.
    if (pod === undefined || begun === "yes") return ended(end, end?.exitCode ?? -1, true)
    return { begun: true, why: `${said}. Whether its command had been started by then, nobody saw.` }
  }
  if (end === undefined || disrupted !== undefined) return { begun: true, why: disrupted ?? said }
  return ended(end, end.exitCode, false)
}

/** The pod without containers that are not the task's. */
const alone = (pod: Pod): Pod => {
  const own = pod.status?.containerStatuses?.filter(({ name }) => name === container)
  return own === undefined || own.length === 0 ? pod : { ...pod, status: { ...pod.status, containerStatuses: own } }
}

/** How the command ended; undefined: it has not, or nobody knows. */
function ownEnd(pod: Pod): Terminated | undefined {
  const end = mainContainer(alone(pod))?.state?.terminated
  return end?.reason === unknownEnd ? undefined : end
}

/** Why a pod was taken away, or given up, that had not ended: evicted, drained, its node gone. */
function disruptionOf({ status }: Pod): string | undefined {
  const { phase, reason, message } = status ?? {}
  if (phase === "Failed" && reason !== undefined) return `${reason}: ${message ?? "the pod was given up"}`
  const target = conditionOf(status?.conditions, "DisruptionTarget")
  return target?.status === "True" ? `${target.reason ?? "DisruptionTarget"}: ${target.message ?? ""}` : undefined
}

/** What it waited for, in the cluster's words. */
function waitingOf(pod: Pod | undefined): string | undefined {
  const { reason, message } = (pod && mainContainer(alone(pod))?.state?.waiting) ?? {}
  if (reason !== undefined) return `${reason}${message === undefined ? "" : `: ${message}`}`
  const scheduled = conditionOf(pod?.status?.conditions, "PodScheduled")
  return scheduled?.status === "False" ? scheduled.message : undefined
}

function ended(end: Terminated | undefined, exitCode: number, timedOut: boolean): Omit<TaskEnd, "log"> {
  const [from, to] = [Date.parse(end?.startedAt ?? ""), Date.parse(end?.finishedAt ?? "")]
  // One that could not even be started has 1970 for its start.
  const seconds = from > 0 ? Math.max(0, (to - from) / 1000) || 0 : 0
  return { exitCode, outOfMemory: isOutOfMemory(end), timedOut, seconds }
}
