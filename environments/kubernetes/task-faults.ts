import { fault } from "../../core/errors.js"

/** A task did not begin, or the cluster lost it: no word of its command's. */
export function cannotRun(job: string, namespace: string, said: string) {
  return fault({
    code: "K8S-TASK",
    kind: "errored",
    message: `The Job ${job} in ${namespace} cannot run`,
    reason: said,
    hint: `Correct what the cluster names: kubectl -n ${namespace} get events. Then run the same command again.`,
  })
}

export function lost(job: string, namespace: string, said: string) {
  return fault({
    code: "K8S-TASK-LOST",
    kind: "errored",
    message: `The cluster lost the pod of the Job ${job} in ${namespace} before it had ended`,
    reason: `its pod was lost. ${said}`,
    hint: "Nobody can tell how far it came: look at what it has done before anything runs again.",
  })
}

export function gone(job: string, namespace: string) {
  return fault({
    code: "ENV-TASK-GONE",
    kind: "errored",
    message: `The Job ${job} in ${namespace} was removed while it ran`,
    reason: "Nobody can tell any more how far it came.",
    hint: "Find out who removes Jobs of this environment; look at what it has done before anything runs again.",
  })
}

/** Its pod is on its way out, and does not go: as long as it is there, its command may still run. */
export function stays(job: string, namespace: string, seconds: number) {
  const pods = `-l batch.kubernetes.io/job-name=${job}`
  return fault({
    code: "K8S-TASK-STAYS",
    kind: "errored",
    message: `The pod of the Job ${job} in ${namespace} has not gone within ${seconds} s`,
    reason: "Its node does not answer, mostly: as long as the pod is there, its command may still run.",
    hint: `kubectl -n ${namespace} get pods ${pods} -o wide says on which node. When that one is certainly off: kubectl -n ${namespace} delete pods ${pods} --force. Then run the same command again.`,
  })
}
