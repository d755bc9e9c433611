import { setTimeout as sleep } from "node:timers/promises"
import type { Cluster } from "../../clients/kubernetes/index.js"
import { fault, type Fault } from "../../core/errors.js"
import { isGoing, conditionOf, isTrue, type Pod } from "./kinds.js"
import { labels } from "./labels.js"
import { lasting } from "./lasting.js"
import { takeAway } from "./left-pods.js"
import type { KubernetesObject } from "./object.js"
import { notMadeFault } from "./not-made.js"
import { notMadeOf } from "./own/wait.js"
import { revisionOf } from "./revision.js"
import type { Scene } from "./scene.js"
import { begunAt, troubleOf, type Trouble } from "./trouble.js"

/**
 * A volume is made, and MariaDB fills it; or the pod before ends. A little longer than the chart's startup probe lets it start
 * (templates/database.yaml), so that the cluster's word is heard. Seconds; anew with every step that it gets further.
 */
const startSeconds = 330
/** A claim that is bound a moment later makes it unschedulable until then. Seconds. */
const boundSeconds = 30
const pollMs = 500

export interface DatabasePlace extends Pick<Scene, "namespace" | "service" | "tell"> {
  readonly cluster: Pick<Cluster, "read" | "list" | "logs" | "remove">
  readonly environment: Pick<Scene["environment"], "name">
}

/** The database as it is now. */
interface Look {
  readonly set: KubernetesObject | undefined
  /** Not one that is on its way out. */
  readonly pod: Pod | undefined
  readonly revision: ReturnType<typeof revisionOf>
}

/**
 * Waits until the service's database, as it is declared now, lets its user in. A pod of the declaration before counts for nothing: it is
 * waited for until it has gone, and when it cannot run it makes room.
 * @throws ENV-DATABASE with the cluster's or its own last words; K8S-QUOTA, K8S-DENIED, K8S-WEBHOOK, K8S-NO-PODS when no pod is made
 */
export async function awaitDatabase(place: DatabasePlace, signal: AbortSignal): Promise<void> {
  const { namespace } = place
  const began = Date.now()
  const started = performance.now()
  const believed = lasting()
  let step = ""
  let since = started
  for (;;) {
    signal.throwIfAborted()
    const look = await lookAt(place)
    const { set, pod, revision } = look
    const wanted = pod !== undefined && revision === "wanted"
    if (wanted && isTrue(pod.status?.conditions, "Ready")) return
    const now = `${pod?.metadata.uid ?? ""} ${revision} ${begunAt(pod) === undefined ? "prepared" : "started"}`
    if (now !== step) since = performance.now()
    step = now
    const seconds = (performance.now() - since) / 1000
    const trouble = pod === undefined ? undefined : troubleOf(pod, Date.now())
    const notMade = believed(pod === undefined && set !== undefined ? await notMadeOf(place, set, began) : undefined)
    if (notMade !== undefined && set !== undefined) throw notMadeFault(namespace, set, notMade)
    if (pod !== undefined && revision === "left") {
      // There is but one: nothing is lost with a pod that does not run.
      if (trouble !== undefined || (seconds > startSeconds && !isTrue(pod.status?.conditions, "Ready")))
        await makeRoom(place, pod, trouble)
      else if (seconds > startSeconds) throw await notReady(place, look, trouble, started)
    } else {
      const ends = wanted && trouble !== undefined && (trouble.kind !== "unschedulable" || seconds > boundSeconds)
      if (ends || seconds > startSeconds) throw await notReady(place, look, trouble, started)
    }
    await sleep(pollMs, undefined, { signal })
  }
}

async function lookAt({ cluster, namespace, service }: DatabasePlace): Promise<Look> {
  const ref = { apiVersion: "apps/v1", kind: "StatefulSet", namespace, name: `${service}-db` }
  // First what makes pods: a pod that is there later is of no declaration before the one that this tells.
  const set = await cluster.read<KubernetesObject>(ref)
  const pods = await cluster.list<Pod>({
    apiVersion: "v1",
    kind: "Pod",
    namespace,
    labels: `${labels.name}=${service}-db`,
  })
  const pod = pods.find((p) => !isGoing(p))
  return { set, pod, revision: pod === undefined || set === undefined ? "wanted" : revisionOf(pod, [set]) }
}

function makeRoom({ tell, ...place }: DatabasePlace, pod: Pod, trouble: Trouble | undefined): Promise<void> {
  const told = { ...place, tell: (line: string) => tell(`database: ${line}`) }
  return takeAway(
    told,
    pod,
    "the declaration before",
    `cannot run (${trouble?.text ?? `not ready for ${startSeconds} s`})`,
  )
}

async function notReady(
  { cluster, namespace, service, environment }: DatabasePlace,
  { pod, revision }: Look,
  trouble: Trouble | undefined,
  started: number,
): Promise<Fault> {
  const seconds = (performance.now() - started) / 1000
  const logs = pod === undefined ? "" : await cluster.logs({ namespace, name: pod.metadata.name }, { lines: 15 })
  const why =
    revision === "unheard"
      ? "the cluster has not looked at its StatefulSet since that was changed"
      : revision === "left"
        ? "the cluster does not replace its pod of the declaration before"
        : (trouble?.text ?? conditionOf(pod?.status?.conditions, "Ready")?.message ?? "there is no pod of it")
  return fault({
    code: "ENV-DATABASE",
    kind: "errored",
    message: `The database of ${service} in ${environment.name} is not ready after ${seconds.toFixed(0)} s`,
    reason: `${why}${logs.trim() === "" ? "" : `\nIts last lines:\n${logs.trim()}`}`,
    hint: `kubectl -n ${namespace} describe pod ${service}-db-0`,
  })
}
