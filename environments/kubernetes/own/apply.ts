import { refOf } from "../../../clients/kubernetes/index.js"
import { fault, isFault } from "../../../core/errors.js"
import { labels } from "../labels.js"
import { objectName, type KubernetesObject } from "../object.js"
import { makeRoom, readStaying, type RoomWait } from "../room.js"
import { isJob, isMarked, markOf, marks, type OwnPlace } from "./marks.js"
import { inOrder, nameOf, refOfName } from "./order.js"

/**
 * Asks the cluster whether it would take all of them, and changes nothing: what it refuses is known before anything of the
 * release that runs is touched. @throws OWN-TAKEN, K8S-CONFLICT, K8S-INVALID, K8S-DENIED, K8S-FORBIDDEN, K8S-STAYS
 */
export async function tryObjects(place: OwnPlace, objects: readonly KubernetesObject[], wait: RoomWait): Promise<void> {
  await Promise.all(
    objects.map(async (object) => {
      const there = await thereOf(place, object, wait)
      // A Job is never changed: another one takes its place.
      if (isJob(object) && there !== undefined) return
      await tryObject(place, object)
    }),
  )
}

/** Whether the cluster would take it; nothing is changed. @throws K8S-CONFLICT, K8S-INVALID, K8S-DENIED, K8S-FORBIDDEN */
export async function tryObject({ cluster }: Pick<OwnPlace, "cluster">, object: KubernetesObject): Promise<void> {
  await cluster.apply(object, { dryRun: true }).catch((error: unknown) => {
    // A webhook that cannot be asked without effect: it is asked when it counts.
    if (!isFault(error) || !/does not support dry run/.test(error.reason ?? "")) throw error
  })
}

/** Applies the objects of a release: what others need first. The same again changes nothing. @throws as `tryObjects` */
export async function applyObjects(
  place: OwnPlace,
  objects: readonly KubernetesObject[],
  wait: RoomWait,
): Promise<void> {
  for (const group of inOrder(objects)) {
    wait.signal.throwIfAborted()
    await Promise.all(group.map((object) => applyOne(place, object, wait)))
  }
}

async function applyOne(place: OwnPlace, object: KubernetesObject, wait: RoomWait): Promise<void> {
  const there = await thereOf(place, object, wait)
  if (isJob(object) && there !== undefined) {
    // Of this release: it ran, or runs, once.
    if (there.metadata.labels?.[labels.releaseKey] === object.metadata.labels?.[labels.releaseKey]) return
    await makeRoom(place.cluster, there, wait.signal)
  }
  await place.cluster.apply(object)
}

/** What is there of that name, and stays; not somebody else's. @throws OWN-TAKEN, K8S-STAYS */
async function thereOf(
  place: OwnPlace,
  object: KubernetesObject,
  wait: RoomWait,
): Promise<KubernetesObject | undefined> {
  const there = await readStaying(place.cluster, refOf(object), wait)
  const whose = there?.metadata.labels
  const owner = whose?.[marks.service] ?? (whose?.[labels.managedBy] === "gantry" ? whose[labels.name] : undefined)
  if (there === undefined || owner === undefined || owner === place.service) return there
  throw fault({
    code: "OWN-TAKEN",
    kind: "usage",
    message: `${place.service}: ${objectName(object)} in ${place.namespace} is ${owner}'s`,
    reason: `It has the labels of the service ${owner}; two services cannot have one object.`,
    hint: "Give it another name in the chart, the manifests or the overlay.",
  })
}

/**
 * Removes what earlier releases of the service consisted of and `names` tells of. Only what is marked as the service's: an
 * object that somebody has taken over since, or made of the same name, stays.
 * @returns what was removed, as people call it
 */
export async function removeObjects(place: OwnPlace, names: readonly string[]): Promise<readonly string[]> {
  const mark = markOf(place)
  const removed: string[] = []
  for (const name of names) {
    const ref = refOfName(name, place.namespace)
    // Its kind may have left the cluster with its operator.
    if (ref === undefined || !(await place.cluster.serves(ref.apiVersion, ref.kind))) continue
    const there = await place.cluster.read<KubernetesObject>(ref)
    if (there === undefined || !isMarked(there, mark) || there.metadata.deletionTimestamp !== undefined) continue
    await place.cluster.remove(ref, { uid: there.metadata.uid })
    removed.push(`${ref.kind} ${ref.name}`)
  }
  return removed
}

export const namesOf = (objects: readonly KubernetesObject[]): readonly string[] => objects.map(nameOf)
