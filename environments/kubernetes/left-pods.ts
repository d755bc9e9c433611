import type { Cluster } from "../../clients/kubernetes/index.js"
import type { Pod } from "./kinds.js"

/** Room may yet come for a pod that has none; nothing else that keeps one from running comes by itself. Seconds. */
export const roomSeconds = 60

export interface LeftPlace {
  readonly cluster: Pick<Cluster, "remove">
  readonly namespace: string
  tell(line: string): void
}

/**
 * Takes a pod away that its StatefulSet has left: the controller waits for ever for one that does not get ready, and brings
 * nothing else before. It makes the pod anew, as it is wanted.
 * https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#forced-rollback
 * @param whose for people: "the release before"
 * @param why for people: "cannot run (ImagePullBackOff)"
 */
export async function takeAway(
  { cluster, namespace, tell }: LeftPlace,
  { metadata: { name, uid } }: Pod,
  whose: string,
  why: string,
): Promise<void> {
  tell(`${name} of ${whose} ${why}; it makes room`)
  await cluster.remove({ apiVersion: "v1", kind: "Pod", namespace, name }, { uid })
}
