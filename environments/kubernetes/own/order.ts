import { objectName, type KubernetesObject } from "../object.js"

/** What others need to be there: pods mount it, run as it, are reached by it. */
const first = new Set([
  "ServiceAccount",
  "Role",
  "ConfigMap",
  "Secret",
  "PersistentVolumeClaim",
  "Service",
  "NetworkPolicy",
  "PodDisruptionBudget",
  "LimitRange",
])
const workloads = new Set(["Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Pod", "Job", "CronJob"])
/** These name what has to be there. */
const last = new Set(["Ingress", "HTTPRoute", "HorizontalPodAutoscaler"])

/** Objects in groups, each to be applied when the one before is there; kinds of somebody's operator before the workloads. Pure. */
export function inOrder(objects: readonly KubernetesObject[]): readonly (readonly KubernetesObject[])[] {
  const groups: KubernetesObject[][] = [[], [], [], []]
  for (const object of objects) {
    const { kind } = object
    groups[first.has(kind) ? 0 : workloads.has(kind) ? 2 : last.has(kind) ? 3 : 1]?.push(object)
  }
  return groups.filter((group) => group.length > 0)
}

/** "apps/v1 Deployment web": one object of a namespace, as a note has it. */
export const nameOf = (object: KubernetesObject) => `${object.apiVersion} ${objectName(object)}`

/** @returns undefined for what is no such text */
export function refOfName(text: string, namespace: string) {
  const [apiVersion, kind, name] = text.split(" ")
  return apiVersion && kind && name ? { apiVersion, kind, name, namespace } : undefined
}

/** Which of the objects of earlier releases the new one does not have. Volumes are not among them: data stay. Pure. */
export function leftBehind(before: Iterable<string>, now: readonly KubernetesObject[]): readonly string[] {
  // Another version of an API names the same object.
  const identity = (text: string) => text.replace(/^(?:([^/ ]+)\/)?\S+ /, "$1 ")
  const kept = new Set(now.map((object) => identity(nameOf(object))))
  return [...new Set(before)].filter((text) => !kept.has(identity(text)) && !/ PersistentVolumeClaim /.test(text))
}
