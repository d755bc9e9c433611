import { isGoing } from "./kinds.js"
import { setTimeout as sleep } from "node:timers/promises"
import { refOf, refText, type Cluster, type KubeRef } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import { objectName, type KubernetesObject } from "./object.js"

const pollMs = 300
/** The pods of a Job are stopped before it is gone. Seconds. */
const goneSeconds = 120

/** Who waits for what is being deleted. */
export interface RoomWait {
  readonly signal: AbortSignal
  tell(line: string): void
  /** How long at most. Seconds. Default 120. */
  readonly seconds?: number
}

/** Removes an object that cannot be changed, so that another of its name can be made. @throws K8S-STAYS */
export async function makeRoom(
  cluster: Pick<Cluster, "read" | "remove">,
  there: KubernetesObject,
  signal: AbortSignal,
): Promise<void> {
  await cluster.remove(refOf(there), { foreground: true, uid: there.metadata.uid })
  await untilGone(cluster, there, signal, goneSeconds)
}

/**
 * What there is of that name, and stays. What is being deleted is waited for until it is gone: it would take whatever is applied
 * onto it with it. @throws K8S-STAYS
 */
export async function readStaying(
  cluster: Pick<Cluster, "read">,
  ref: KubeRef,
  { signal, tell, seconds = goneSeconds }: RoomWait,
): Promise<KubernetesObject | undefined> {
  for (;;) {
    const there = await cluster.read<KubernetesObject>(ref)
    if (there === undefined || !isGoing(there)) return there
    tell(`${objectName(there)} is being deleted; it is waited for until it is gone`)
    await untilGone(cluster, there, signal, seconds)
  }
}

/** Another one of the same name is none of it. @throws K8S-STAYS */
async function untilGone(
  cluster: Pick<Cluster, "read">,
  object: KubernetesObject,
  signal: AbortSignal,
  seconds: number,
): Promise<void> {
  const ref = refOf(object)
  const deadline = performance.now() + seconds * 1000
  for (;;) {
    const there = await cluster.read<KubernetesObject>(ref)
    if (there === undefined || there.metadata.uid !== object.metadata.uid) return
    if (performance.now() > deadline) throw staysFault(ref, there, seconds)
    await sleep(pollMs, undefined, { signal })
  }
}

function staysFault(ref: KubeRef, { metadata }: KubernetesObject, seconds: number) {
  const { deletionTimestamp, finalizers = [] } = metadata
  const since = deletionTimestamp === undefined ? "" : ` since ${deletionTimestamp}`
  const held = finalizers.length === 0 ? "" : ` It is held by its finalizers: ${finalizers.join(", ")}.`
  return fault({
    code: "K8S-STAYS",
    kind: "errored",
    message: `${refText(ref)} does not go`,
    reason: `It is being deleted${since}; another of its name was to be made, and ${seconds} s were waited.${held}`,
    hint: `Whoever has set a finalizer takes it away when he is done: does his operator run? kubectl -n ${ref.namespace ?? ""} describe ${ref.kind.toLowerCase()} ${ref.name}. When it is gone, deliver again.`,
  })
}
