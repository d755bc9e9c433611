import { refOf, type Cluster } from "../../../clients/kubernetes/index.js"
import { isGoing, type Pod } from "../kinds.js"
import type { KubernetesObject } from "../object.js"
import { absenceOf, progressOf, type Progress } from "../own/complete.js"
import { isLasting } from "../own/marks.js"
import type { Expectation } from "./settings.js"
import { isAwaited, isCustom, progressOfAny } from "./status.js"

export interface Watched {
  readonly cluster: Pick<Cluster, "read" | "list">
  readonly namespace: string
}

/** An object that is waited for, as it is now, and what runs for it. */
export interface Seen {
  readonly object: KubernetesObject
  readonly progress: Progress
  readonly pods: readonly Pod[]
  /** What makes these pods: itself, or what its operator has made of it. */
  readonly makers: readonly KubernetesObject[]
}

const workloadKinds = ["Deployment", "StatefulSet", "DaemonSet"] as const

/**
 * How far the objects of a dependency are. What an operator has made of its own kinds is found by its owner: where the
 * operator says nothing of its own, its workloads speak for it.
 */
export async function lookAt(
  { cluster, namespace }: Watched,
  objects: readonly KubernetesObject[],
  expected: readonly Expectation[],
): Promise<readonly Seen[]> {
  const awaited = objects.filter((object) => isAwaited(object, expected))
  const { pods, makers: all } = await whatRuns({ cluster, namespace })
  const living = pods.filter((pod) => !isGoing(pod))
  return Promise.all(
    awaited.map(async (wanted): Promise<Seen> => {
      const there = await cluster.read<KubernetesObject>(refOf(wanted))
      const object = there ?? wanted
      const absence = absenceOf(wanted, there)
      if (absence !== undefined) return { object, progress: absence, ...nobody }
      const own = descendants(object, [...all, ...living])
      const workloads = own.filter(isLasting)
      const ofIt = own.filter((o): o is Pod => o.kind === "Pod")
      const makers = [object, ...own.filter((o) => o.kind !== "Pod")]
      const progress = progressOfAny(object, expected, own.length)
      const seen = { object, pods: ofIt, makers }
      if (!isCustom(object) || !progress.done) return { ...seen, progress }
      const behind = workloads.map((w) => ({ w, p: progressOf(w) })).find(({ p }) => !p.done)
      const text = behind && `${behind.w.kind} ${behind.w.metadata.name}: ${behind.p.text}`
      return { ...seen, progress: text === undefined ? progress : { ...progress, done: false, text } }
    }),
  )
}

/** All pods of the namespace, and what makes them. */
export async function whatRuns({
  cluster,
  namespace,
}: {
  readonly cluster: Pick<Cluster, "list">
  readonly namespace: string
}) {
  const [pods, ...makers] = await Promise.all([
    cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace }),
    ...workloadKinds.map((kind) => cluster.list({ apiVersion: "apps/v1", kind, namespace })),
    // Between a Deployment and its pods.
    cluster.list({ apiVersion: "apps/v1", kind: "ReplicaSet", namespace }),
  ])
  return { pods, makers: makers.flat() }
}

const nobody = { pods: [], makers: [] } as const

/** All that has come of an object, by owners. Pure. */
export function descendants(of: KubernetesObject, all: readonly KubernetesObject[]): readonly KubernetesObject[] {
  const found: KubernetesObject[] = []
  const uids = new Set([of.metadata.uid])
  for (let before = -1; before !== found.length;) {
    before = found.length
    for (const object of all) {
      if (uids.has(object.metadata.uid)) continue
      if (object.metadata.ownerReferences?.some(({ uid }) => uids.has(uid)) !== true) continue
      uids.add(object.metadata.uid)
      found.push(object)
    }
  }
  return found
}
