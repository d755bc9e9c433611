import type { Cluster } from "../../clients/kubernetes/index.js"
import { isGoing, type Pod } from "./kinds.js"

/** After the last one has gone, the scheduler looks again (its longest back-off is 10 s) and quotas are counted anew. Seconds. */
const afterwardsSeconds = 15

/**
 * Who leaves takes room until it is gone: an instance of the release before drains, and its successor, which the cluster makes at
 * once, fits neither on the node nor into the quota until then. That is no trouble of the successor's.
 */
export interface Departures {
  /** To be told of the pods of every look, for some leave between two looks. */
  note(pods: readonly Pod[]): void
  /** Whether something of the namespace leaves, or has just left. */
  makeRoom(): Promise<boolean>
}

export function departures(cluster: Pick<Cluster, "list">, namespace: string): Departures {
  let last = -Infinity
  const note = (pods: readonly Pod[]) => {
    if (pods.some(isGoing)) last = performance.now()
  }
  return {
    note,
    async makeRoom() {
      note(await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace }))
      return performance.now() - last < afterwardsSeconds * 1000
    },
  }
}
