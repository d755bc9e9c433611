import { refOf, type Cluster } from "../../../clients/kubernetes/index.js"
import { hashJson } from "../../../core/json.js"
import type { Memory } from "../../memory.js"
import { isGoing, type Secret } from "../kinds.js"
import { labels } from "../labels.js"
import type { KubernetesObject } from "../object.js"
import { tryObject } from "../own/apply.js"
import { isJob, marks } from "../own/marks.js"
import { readStaying, type RoomWait } from "../room.js"
import { kindFault, takenFault, type Where } from "./faults.js"
import { keptObjects } from "./keep.js"
import { settled } from "./lots.js"
import { dependencyLabel, markedDependency, type DependencyOwner } from "./marks.js"
import { readEntries, type DependencyEntry } from "./note.js"
import { dependencyPolicies } from "./policies.js"
import type { Renderings } from "./render.js"
import type { Dependency } from "./settings.js"
import { lookAt } from "./snapshot.js"

export interface Bringing {
  readonly cluster: Cluster
  readonly namespace: string
  readonly project: string
  readonly environment: string
  /** Services that bring their own objects. */
  readonly own: readonly string[]
  readonly memory: Memory
  readonly commit: string
  readonly signal: AbortSignal
  tell(line: string): void
  keepLog(name: string, text: string): Promise<void>
}

export interface Wanted {
  readonly name: string
  readonly dependency: Dependency
  readonly rendered: Renderings
}

/** What is to become of a dependency. */
export interface Plan {
  readonly owner: DependencyOwner
  readonly where: Where
  readonly dependency: Dependency
  readonly hash: string
  /** As they are declared. */
  readonly objects: readonly KubernetesObject[]
  /** These, and the policies that Gantry makes for them. */
  readonly all: readonly KubernetesObject[]
  readonly before: DependencyEntry | undefined
  /** It is there as declared, and ready. */
  readonly unchanged: boolean
}

/** What is to be applied for a dependency; nothing is. @throws DEPENDENCY-KIND, DEPENDENCY-NAMES, DEPENDENCY-PODS */
export async function planOf(bringing: Bringing, { name, dependency, rendered }: Wanted): Promise<Plan> {
  const { cluster, namespace, project, environment, own } = bringing
  const owner = { project, environment, name }
  const where = { environment, namespace, context: cluster.context, name }
  const { first, second } = rendered
  const kept = await keptObjects(bringing, name)
  const before = kept.length > 0 ? kept : await secretsThere(bringing, first)
  const { objects: drawn, hash } = settled(name, first, second, before)
  const policies = dependencyPolicies({ project, environment, namespace, name, dependency, objects: drawn, own })
  const unknown = new Set<string>()
  for (const { apiVersion, kind } of drawn) {
    if (!(await cluster.serves(apiVersion, kind))) unknown.add(`${kind} of ${apiVersion}`)
  }
  if (unknown.size > 0) throw kindFault(where, [...unknown])
  const objects = markedDependency(drawn, owner, hash)
  const all = [...objects, ...markedDependency(policies, owner, hash)]
  const entry = (await readEntries(bringing.memory.notes)).find((e) => e.name === name)
  const same = entry?.status === "ready" && entry.hash === identity(hash, policies)
  const unchanged = same && (await isWhole(bringing, all, objects, dependency))
  return { owner, where, dependency, hash: identity(hash, policies), objects, all, before: entry, unchanged }
}

/** Nothing was kept, or what was kept is lost: the passwords of data that are there are in the Secrets themselves. */
async function secretsThere({ cluster }: Bringing, objects: readonly KubernetesObject[]) {
  const secrets = objects.filter((o) => o.kind === "Secret" && o.apiVersion === "v1")
  const found = await Promise.all(secrets.map((object) => cluster.read<Secret>(refOf(object))))
  return found.flatMap((secret) => {
    if (secret === undefined) return []
    const decoded = Object.entries(secret.data ?? {}).map(([k, v]) => [k, Buffer.from(v, "base64").toString()])
    return [{ ...secret, stringData: Object.fromEntries(decoded) as Record<string, string> }]
  })
}

/** Who reaches it is part of what is declared. */
const identity = (hash: string, policies: readonly KubernetesObject[]) => hashJson([hash, policies])

/** Everything is in the cluster as it would be applied, and ready. */
async function isWhole(
  bringing: Bringing,
  all: readonly KubernetesObject[],
  objects: readonly KubernetesObject[],
  dependency: Dependency,
): Promise<boolean> {
  const { cluster } = bringing
  const lasting = all.filter((object) => !isJob(object))
  const there = await Promise.all(lasting.map((object) => cluster.read<KubernetesObject>(refOf(object))))
  if (there.some((object) => object === undefined || isGoing(object))) return false
  const seen = await lookAt(bringing, objects, dependency.ready)
  return seen.every(({ progress }) => progress.done)
}

/** How what is being deleted of a dependency is waited for: as long as the dependency itself may take. */
export const roomWait = (
  { signal, tell }: Bringing,
  { where, dependency }: Pick<Plan, "where" | "dependency">,
): RoomWait => ({ signal, tell: (line) => tell(`${where.name}: ${line}`), seconds: dependency.waitSeconds })

/**
 * Whether the cluster would take it.
 * @throws DEPENDENCY-TAKEN, K8S-CONFLICT, K8S-INVALID, K8S-DENIED, K8S-FORBIDDEN, K8S-STAYS
 */
export async function tryPlan(bringing: Bringing, plan: Plan): Promise<void> {
  const { cluster } = bringing
  const { where, owner, all } = plan
  await Promise.all(
    all.map(async (object) => {
      const there = await readStaying(cluster, refOf(object), roomWait(bringing, plan))
      const whose = ownerOf(there)
      if (there !== undefined && whose !== undefined && whose !== owner.name) throw takenFault(where, there, whose)
      if (there !== undefined && isJob(object)) return
      await tryObject({ cluster }, object)
    }),
  )
}

/** A service, or another dependency. */
function ownerOf(object: KubernetesObject | undefined): string | undefined {
  const found = object?.metadata.labels
  if (found === undefined) return undefined
  const gantrys = found[labels.managedBy] === "gantry" ? found[labels.name] : undefined
  return found[dependencyLabel] ?? found[marks.service] ?? gantrys
}
