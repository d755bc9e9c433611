import { setTimeout as sleep } from "node:timers/promises"
import type { Cluster, KubeRef } from "../../clients/kubernetes/index.js"
import type { Fault } from "../../core/errors.js"
import type { TaskEnd, TaskLost } from "../task.js"
import { isTrue, type Job, type Pod } from "./kinds.js"
import { annotations } from "./labels.js"
import { lasting } from "./lasting.js"
import { notMadeFault } from "./not-made.js"
import { notMadeOf } from "./own/wait.js"
import { begunOf, endingOf, startedAt, type Lost } from "./task-end.js"
import { cannotRun, gone, lost, stays } from "./task-faults.js"
import { troubleOf } from "./trouble.js"

const pollMs = 400
/** What goes is looked at more often: its last words go with it. */
const goingPollMs = 150
/** What was ended has its grace, and the kubelet takes its time; a pod that is there then does not go. Seconds. */
const goSeconds = 120

export interface TaskWait {
  readonly cluster: Pick<Cluster, "read" | "list" | "patch">
  readonly namespace: string
  readonly job: string
  readonly timeoutSeconds: number
  readonly signal: AbortSignal
  /** Told of the pod with every look. */
  seen?(pod: Pod): void
}

export interface Outcome {
  /** As it was last seen; it may be gone. */
  readonly pod: Pod | undefined
  /** An end of its own, or why there is none. */
  readonly what: Omit<TaskEnd, "log"> | Omit<TaskLost, "log">
}

export const jobRef = ({ namespace, job }: Pick<TaskWait, "namespace" | "job">): KubeRef => ({
  apiVersion: "batch/v1",
  kind: "Job",
  namespace,
  name: job,
})

export async function podOfJob({
  cluster,
  namespace,
  job,
}: Pick<TaskWait, "namespace" | "job"> & { readonly cluster: Pick<Cluster, "list"> }): Promise<Pod | undefined> {
  const label = `batch.kubernetes.io/job-name=${job}`
  const pods = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace, labels: label })
  return pods[0]
}

/**
 * Waits until a Job has ended. Ends it when its command has run for its time, and calls it off when it cannot begin: no pod can be
 * made, no image is there, no node has room. One that is called off is suspended, as it was before anything of it could have happened.
 * @throws ENV-TASK-GONE when somebody else removes it, K8S-TASK-STAYS when its pod does not go
 */
export async function untilEnded(wait: TaskWait): Promise<Outcome> {
  const { cluster, namespace, signal } = wait
  const began = Date.now()
  const believed = lasting()
  let last: Pod | undefined
  let calledOff: Fault | undefined
  let stopped = false
  let goingSince: number | undefined
  for (;;) {
    signal.throwIfAborted()
    const job = await cluster.read<Job>(jobRef(wait))
    if (job === undefined) throw gone(wait.job, namespace)
    const pod = await podOfJob(wait)
    if (pod !== undefined) wait.seen?.(pod)
    last = pod ?? last
    const ending = endingOf(job, last)
    if (ending !== undefined) return { pod: last, what: toldOf(wait, ending) }
    if (job.spec.suspend === true) {
      if (pod === undefined) return { pod: last, what: calledOffOf(wait, job, last, calledOff) }
    } else if (!stopped) {
      const why = await cannotBegin(wait, job, pod, last, { began, believed })
      if (why !== undefined) {
        calledOff = why
        // As it was looked at: has it changed, it is looked at again.
        await callOff(wait, job, pod)
      } else if (isOver(pod, wait.timeoutSeconds)) {
        // Its controller ends it, and says that its time was over, whoever watches by then.
        await cluster.patch(jobRef(wait), { spec: { activeDeadlineSeconds: 1 } })
        stopped = true
      }
    }
    if (stopped || job.spec.suspend === true || isTrue(job.status?.conditions, "FailureTarget")) {
      goingSince ??= performance.now()
      if (performance.now() - goingSince > goSeconds * 1000) throw stays(wait.job, namespace, goSeconds)
    }
    await sleep(goingSince === undefined ? pollMs : goingPollMs, undefined, { signal })
  }
}

/** Waits until the Job and its pod are gone. @throws K8S-TASK-STAYS */
export async function untilRemoved(wait: Pick<TaskWait, "cluster" | "namespace" | "job">): Promise<void> {
  const { cluster, namespace, job } = wait
  const since = performance.now()
  while ((await cluster.read(jobRef(wait))) !== undefined || (await podOfJob(wait)) !== undefined) {
    if (performance.now() - since > goSeconds * 1000) throw stays(job, namespace, goSeconds)
    await sleep(pollMs)
  }
}

interface Looks {
  /** Milliseconds since 1970. */
  readonly began: number
  readonly believed: ReturnType<typeof lasting>
}

/** Why the command will not be started; undefined: it has been, or may yet be. */
async function cannotBegin(
  { cluster, namespace, job: name }: TaskWait,
  job: Job,
  pod: Pod | undefined,
  last: Pod | undefined,
  { began, believed }: Looks,
): Promise<Fault | undefined> {
  const object = { ...job, apiVersion: "batch/v1", kind: "Job" }
  const said = believed(last === undefined ? await notMadeOf({ cluster, namespace }, object, began) : undefined)
  if (said !== undefined) return notMadeFault(namespace, object, said)
  if (pod === undefined || startedAt(pod) !== undefined) return undefined
  const trouble = troubleOf(pod, Date.now())
  // A command that the image does not have is a word about the release: the container ends with it.
  if (trouble === undefined || trouble.kind === "crash" || trouble.text.startsWith("RunContainerError"))
    return undefined
  return cannotRun(name, namespace, trouble.text)
}

/** Whether its command has run for its time, and still does. */
function isOver(pod: Pod | undefined, timeoutSeconds: number): boolean {
  const since = pod && startedAt(pod)
  return since !== undefined && pod?.status?.phase === "Running" && (Date.now() - since) / 1000 > timeoutSeconds
}

/** Suspends a Job, unless it has changed since it was looked at. The pod that it had then is written down with it. */
async function callOff({ cluster, ...wait }: TaskWait, job: Job, pod: Pod | undefined): Promise<void> {
  const { resourceVersion } = job.metadata
  const had =
    pod === undefined ? {} : { annotations: { [annotations.calledOff]: pod.metadata.uid ?? pod.metadata.name } }
  await cluster.patch(jobRef(wait), { metadata: { resourceVersion, ...had }, spec: { suspend: true } })
}

/** Whether a suspended Job is one that had a pod: what became of that, its pod has to be asked. Pure. */
export const hadPod = (job: Job): boolean => job.metadata.annotations?.[annotations.calledOff] !== undefined

/** Of one that is suspended and has no pod any more. */
function calledOffOf(
  { job: name, namespace }: TaskWait,
  job: Job,
  last: Pod | undefined,
  why: Fault | undefined,
): Omit<TaskLost, "log"> {
  const never = last === undefined ? !hadPod(job) : begunOf(last) === "never"
  const said = why?.reason ?? "It was called off."
  return never
    ? { begun: false, cause: why ?? cannotRun(name, namespace, said) }
    : { begun: true, cause: lost(name, namespace, said) }
}

function toldOf({ job, namespace }: TaskWait, ending: Omit<TaskEnd, "log"> | Lost): Outcome["what"] {
  if (!("begun" in ending)) return ending
  const { begun, why } = ending
  return { begun, cause: begun ? lost(job, namespace, why) : cannotRun(job, namespace, why) }
}
