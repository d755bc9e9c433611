import { setTimeout as sleep } from "node:timers/promises"
import { isQuota, quotaFault, type Cluster } from "../../../clients/kubernetes/index.js"
import { isTrue, type Event, type Pod } from "../kinds.js"
import { roomSeconds, takeAway, type LeftPlace } from "../left-pods.js"
import { objectName, type KubernetesObject } from "../object.js"
import { notMadeFault } from "../not-made.js"
import { isJob } from "../own/marks.js"
import { nameOf } from "../own/order.js"
import { podLogs } from "../own/pods.js"
import { momentSeconds } from "../lasting.js"
import { revisionOf } from "../revision.js"
import { troubleOf, type Trouble } from "../trouble.js"
import { brokenFault, jobFault, notReadyFault, stalledFault, type Where } from "./faults.js"
import { refusedOf } from "./refused.js"
import type { Dependency } from "./settings.js"
import { lookAt, type Seen } from "./snapshot.js"
import { hasHeard, isCustom, statusText } from "./status.js"

const pollMs = 1000
const logLines = 200

/**
 * Members of a cluster crash until the first one answers, volumes are bound a while after the pod, an operator makes a
 * Secret after what mounts it: only what lasts is final. An image that is not there is final at once, but for the moment in which it may
 * be of the declaration before. Seconds.
 */
const patience: Readonly<Record<Trouble["kind"], number>> = {
  image: momentSeconds,
  config: 60,
  unschedulable: roomSeconds,
  crash: 90,
}

/** An operator hears of a change a moment later: until then its words and its pods are those of the declaration before. */
const hearingSeconds = 15

export interface Awaiting {
  readonly cluster: Pick<Cluster, "read" | "list" | "logs" | "remove">
  readonly where: Where
  readonly dependency: Pick<Dependency, "ready" | "waitSeconds">
  readonly objects: readonly KubernetesObject[]
  /** Of these, what was there and is another one now: "apps/v1 StatefulSet mysql". */
  readonly changed: readonly string[]
  readonly signal: AbortSignal
  tell(line: string): void
  keepLog(name: string, text: string): Promise<void>
}

/**
 * Waits until a dependency is ready. Ends before its time with what will not get over itself.
 * @throws DEPENDENCY-BROKEN, DEPENDENCY-NOT-READY, K8S-QUOTA, K8S-DENIED, K8S-NO-PODS
 */
export async function untilReady(awaiting: Awaiting): Promise<void> {
  const { cluster, where, dependency, objects, signal, tell } = awaiting
  const watched = { cluster, namespace: where.namespace }
  const began = performance.now()
  const told = new Map<string, string>()
  const watch: Watch = { began: Date.now(), since: new Map() }
  for (;;) {
    signal.throwIfAborted()
    const seconds = (performance.now() - began) / 1000
    const all = await lookAt(watched, objects, dependency.ready)
    const pending = all.map((seen) => believed(awaiting, seen, seconds)).filter(({ progress }) => !progress.done)
    if (pending.length === 0) return
    for (const { object, progress } of pending) {
      const line = statusText(object, progress)
      if (told.get(object.metadata.uid ?? object.metadata.name) !== line) tell(`${where.name}: ${line}`)
      told.set(object.metadata.uid ?? object.metadata.name, line)
    }
    for (const seen of pending) await judge(awaiting, seen, watch)
    if (seconds > dependency.waitSeconds) throw await late(awaiting, pending, seconds)
    await sleep(pollMs, undefined, { signal })
  }
}

/** Right after a change, the word of an operator that does not say which generation it is about is not taken for the new one. */
function believed({ changed }: Awaiting, seen: Seen, seconds: number): Seen {
  const { object, progress } = seen
  const old = isCustom(object) && changed.includes(nameOf(object)) && !hasHeard(object) && seconds < hearingSeconds
  if (!old || !progress.done) return seen
  return { ...seen, progress: { done: false, text: "its operator is given a moment to hear of the change" } }
}

/** What lasts, and since when. */
interface Watch {
  /** Milliseconds since 1970. */
  readonly began: number
  readonly since: Map<string, number>
}

async function judge(awaiting: Awaiting, seen: Seen, { began, since }: Watch): Promise<void> {
  const { object, progress, pods, makers } = seen
  const { where, cluster } = awaiting
  if (isJob(object) && progress.failed !== undefined) {
    const [last] = pods.slice(-1)
    throw jobFault(where, object, progress.failed, last === undefined ? "" : await logsOf(awaiting, last))
  }
  const lasts = (key: string, seconds: number) => {
    const first = since.get(key) ?? performance.now()
    since.set(key, first)
    return (performance.now() - first) / 1000 >= seconds
  }
  if (isCustom(object) && progress.failed !== undefined) {
    if (lasts(`${object.metadata.uid ?? ""} stalled`, hearingSeconds))
      throw stalledFault(where, object, progress.failed)
  }
  const refused = await refusedOf({ cluster, namespace: where.namespace }, seen, began)
  // An operator may make the account of its pods after what makes the pods.
  if (refused !== undefined && lasts(`${refused.maker.metadata.uid ?? ""} refused`, patience.config)) {
    throw notMadeFault(where.namespace, refused.maker, refused.said)
  }
  for (const pod of pods) {
    const trouble = troubleOf(pod, Date.now())
    // A Job tries again as often as it says.
    if (trouble === undefined || (isJob(object) && trouble.kind === "crash")) continue
    const revision = revisionOf(pod, makers)
    // Nobody can tell yet whose trouble it is.
    if (revision === "unheard") continue
    const which = `${pod.metadata.uid ?? ""} ${trouble.kind}`
    if (revision === "left") {
      // Room may come; nothing else does.
      const stays = trouble.kind === "unschedulable" && !lasts(which, roomSeconds)
      if (!stays && isOfStatefulSet(pod)) {
        await takeAway(leftOf(awaiting), pod, "the declaration before", `cannot run (${trouble.text})`)
      }
      continue
    }
    const enough = Math.max(patience[trouble.kind], isCustom(object) ? hearingSeconds : 0)
    if (!lasts(which, enough)) continue
    const others = trouble.kind === "image" && isCustom(object) ? undeclaredImages(pod, awaiting.objects) : []
    throw brokenFault(where, pod.metadata.name, trouble, await logsOf(awaiting, pod), others)
  }
}

const leftOf = ({ cluster, where, tell }: Awaiting): LeftPlace => ({
  cluster,
  namespace: where.namespace,
  tell: (line) => tell(`${where.name}: ${line}`),
})

const isOfStatefulSet = ({ metadata }: Pod) =>
  metadata.ownerReferences?.some(({ kind }) => kind === "StatefulSet") === true

/** Images of a pod that no object names, as they are declared. Pure. */
export function undeclaredImages(pod: Pod, objects: readonly KubernetesObject[]): readonly string[] {
  const { containers = [] } = (pod["spec"] ?? {}) as { readonly containers?: readonly { readonly image?: string }[] }
  const declared = JSON.stringify(objects)
  return containers.flatMap(({ image }) =>
    image === undefined || declared.includes(JSON.stringify(image)) ? [] : [image],
  )
}

async function late(awaiting: Awaiting, pending: readonly Seen[], seconds: number) {
  const { where } = awaiting
  const events = await eventsOf(awaiting, pending)
  const refused = events.find(isQuota)
  if (refused !== undefined) return quotaFault(where.namespace, refused)
  const bad = pending.flatMap(({ pods }) => pods).find(({ status }) => !isTrue(status?.conditions, "Ready"))
  const logs = bad === undefined ? "" : await logsOf(awaiting, bad)
  const more = [
    ...events.map((text) => `\n${text}`),
    logs.trim() === ""
      ? ""
      : `\nThe last lines of ${bad?.metadata.name ?? ""}:\n${logs.trim().split("\n").slice(-15).join("\n")}`,
  ].join("")
  return notReadyFault(
    where,
    seconds,
    pending.map(({ object, progress }) => statusText(object, progress)),
    more,
  )
}

async function logsOf({ cluster, where, objects, keepLog }: Awaiting, pod: Pod): Promise<string> {
  const logs = await podLogs({ cluster, namespace: where.namespace }, pod.metadata.name, logLines, objects)
  if (logs.trim() !== "") await keepLog(`${pod.metadata.name}.log`, logs)
  return logs
}

/** The cluster's newest words about what is not ready, and about what its operator has made of it. */
async function eventsOf({ cluster, where }: Awaiting, pending: readonly Seen[]): Promise<readonly string[]> {
  const objects = pending.flatMap(({ object, makers, pods }) => [object, ...makers, ...pods])
  const names = new Set(objects.map(objectName))
  const { namespace } = where
  const all = await cluster.list<Event>({ apiVersion: "v1", kind: "Event", namespace, fields: "type=Warning" })
  return all
    .filter(({ involvedObject: of }) => names.has(`${of?.kind ?? ""} ${of?.name ?? ""}`))
    .slice(-3)
    .map(
      ({ involvedObject: of, reason, message }) =>
        `${of?.kind ?? ""} ${of?.name ?? ""}: ${reason ?? ""}: ${message ?? ""}`,
    )
}
