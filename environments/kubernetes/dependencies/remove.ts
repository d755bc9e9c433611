import type { Cluster, KubeRef } from "../../../clients/kubernetes/index.js"
import type { Notes } from "../../memory.js"
import type { Pod } from "../kinds.js"
import type { KubernetesObject } from "../object.js"
import { refOfName } from "../own/order.js"
import { dependencyLabel } from "./marks.js"
import { readEntries, type DependencyEntry } from "./note.js"
import { descendants, whatRuns } from "./snapshot.js"
import { isCustom } from "./status.js"

export interface RemovePlace {
  readonly cluster: Pick<Cluster, "read" | "list" | "remove" | "serves">
  readonly namespace: string
  readonly notes: Notes
  /** Volumes and passwords as well, and what an operator looks after. */
  readonly data: boolean
}

/**
 * Removes an environment's dependencies. Without `data`, volumes, Secrets and the kinds of operators stay: many an operator
 * removes the data with its object.
 */
export async function removeDependencies(place: RemovePlace): Promise<void> {
  const { cluster, namespace, notes, data } = place
  const entries = await readEntries(notes)
  if (entries.length === 0) return
  const claims = data ? await claimsOf(place, entries) : []
  for (const { name, objects } of entries) {
    for (const text of objects) {
      const ref = refOfName(text, namespace)
      if (ref === undefined || (!data && (holdsData(ref.kind) || isCustom(ref)))) continue
      const there = await stillIts(place, name, ref)
      if (there !== undefined) await cluster.remove(ref, { uid: there.metadata.uid })
    }
    if (data) await cluster.remove({ apiVersion: "v1", kind: "Secret", namespace, name: `gantry-dependency-${name}` })
  }
  for (const name of claims) {
    await cluster.remove({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name })
  }
}

/** The object while it is the dependency's; undefined when it is gone, with its kind perhaps, or somebody else's by now. */
async function stillIts({ cluster }: RemovePlace, name: string, ref: KubeRef): Promise<KubernetesObject | undefined> {
  const there = (await cluster.serves(ref.apiVersion, ref.kind)) ? await cluster.read<KubernetesObject>(ref) : undefined
  return there?.metadata.labels?.[dependencyLabel] === name ? there : undefined
}

const holdsData = (kind: string) => kind === "Secret" || kind === "PersistentVolumeClaim"

interface PodWithVolumes extends Pod {
  readonly spec?: {
    readonly volumes?: readonly { readonly persistentVolumeClaim?: { readonly claimName: string } }[]
  }
}

/** What their pods have mounted: a StatefulSet leaves its claims behind, also one that an operator has made. */
async function claimsOf(place: RemovePlace, entries: readonly DependencyEntry[]): Promise<readonly string[]> {
  const custom = entries.flatMap(({ name, objects }) =>
    objects.flatMap((text) => {
      const ref = refOfName(text, place.namespace)
      return ref !== undefined && isCustom(ref) ? [stillIts(place, name, ref)] : []
    }),
  )
  const known = (await Promise.all(custom)).filter((object) => object !== undefined)
  const { pods, makers } = await whatRuns(place)
  const made = new Set(known.flatMap((object) => descendants(object, [...makers, ...pods])))
  const theirs = pods.filter((pod) => pod.metadata.labels?.[dependencyLabel] !== undefined || made.has(pod))
  const volumes = (theirs as readonly PodWithVolumes[]).flatMap(({ spec }) => spec?.volumes ?? [])
  return [...new Set(volumes.flatMap((v) => v.persistentVolumeClaim?.claimName ?? []))]
}
