import { setTimeout as sleep } from "node:timers/promises"
import { refOf, refText, type Cluster } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import type { KubernetesObject } from "./object.js"

const pollMs = 300
/** The pods of a Job are stopped before it is gone. Seconds. */
const goneSeconds = 120

/** Removes an object that cannot be changed, so that another of its name can be made. @throws K8S-STAYS */
export async function makeRoom(
  cluster: Pick<Cluster, "read" | "remove">,
  there: KubernetesObject,
  signal: AbortSignal,
): Promise<void> {
  const ref = refOf(there)
  await cluster.remove(ref, { foreground: true, uid: there.metadata.uid })
  const deadline = performance.now() + goneSeconds * 1000
  while ((await cluster.read(ref)) !== undefined) {
    if (performance.now() > deadline) {
      throw fault({
        code: "K8S-STAYS",
        kind: "errored",
        message: `${refText(ref)} does not go`,
        reason: `It was removed ${goneSeconds} s ago, to make room for another of its name.`,
        hint: `kubectl -n ${ref.namespace ?? ""} describe ${ref.kind.toLowerCase()} ${ref.name}: a finalizer may hold it.`,
      })
    }
    await sleep(pollMs, undefined, { signal })
  }
}
