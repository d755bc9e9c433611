import { isFault } from "../../core/errors.js"
import type { ClusterDetail } from "../views/view.js"
import { conditionOf, type Autoscaler, type Event } from "./kinds.js"
import type { Scene } from "./scene.js"
import { instancesOf } from "./instances.js"
import { readPods, readTracks } from "./tracks.js"
import { failureOf } from "./trouble.js"
import type { TrafficState } from "./traffic.js"

const mostEvents = 3

/** Where and how a service runs in its namespace, and what the cluster says about what is not well. */
export async function clusterDetail(scene: Scene): Promise<ClusterDetail> {
  const { cluster, namespace, service } = scene
  const ref = { apiVersion: "autoscaling/v2", kind: "HorizontalPodAutoscaler", namespace, name: service }
  const [exposed, tracks, pods, autoscaler] = await Promise.all([
    scene.exposed(),
    readTracks(scene),
    readPods(scene),
    cluster.read<Autoscaler>(ref),
  ])
  const unwell = instancesOf(pods, tracks.traffic, Date.now()).filter((i) => !i.healthy)
  const stuck = Object.values(tracks.deployments).filter((d) => failureOf(d) !== undefined)
  const look = `kubectl --context ${cluster.context} -n ${namespace}`
  const [bad] = unwell
  return {
    context: cluster.context,
    namespace,
    exposed: exposed.text,
    shares: Object.keys(tracks.deployments).length === 0 ? undefined : sharesOf(tracks.traffic),
    autoscaler: autoscaler && scalingOf(autoscaler),
    events:
      unwell.length === 0 && stuck.length === 0
        ? []
        : eventsOf(await warnings(scene), [...unwell.map((i) => i.name), ...stuck.map((d) => d.metadata.name)]),
    look:
      bad !== undefined
        ? `${look} describe pod ${bad.name}`
        : stuck.length > 0
          ? `${look} describe replicaset`
          : undefined,
  }
}

/** What each track has of the traffic, in percent. Pure. */
export function sharesOf({ shares }: TrafficState): { readonly blue: number; readonly green: number } | undefined {
  const all = shares.blue + shares.green
  if (all === 0) return undefined
  const blue = Math.round((shares.blue / all) * 100)
  return { blue, green: 100 - blue }
}

function scalingOf({ spec, status }: Autoscaler): NonNullable<ClusterDetail["autoscaler"]> {
  const bad = ["AbleToScale", "ScalingActive"]
    .map((type) => conditionOf(status?.conditions, type))
    .find((c) => c?.status === "False")
  return {
    min: spec.minReplicas ?? 1,
    max: spec.maxReplicas,
    current: status?.currentReplicas ?? 0,
    desired: status?.desiredReplicas ?? 0,
    trouble: bad?.message ?? bad?.reason,
  }
}

/** Nobody needs the right to read events: then there are none to show. */
export async function warnings({
  cluster,
  namespace,
}: Pick<Scene, "cluster" | "namespace">): Promise<readonly Event[]> {
  try {
    return await cluster.list<Event>({ apiVersion: "v1", kind: "Event", namespace, fields: "type=Warning" })
  } catch (error) {
    if (isFault(error) && error.code === "K8S-FORBIDDEN") return []
    throw error
  }
}

/** The newest of them about objects of these names, or made for them: a Deployment's ReplicaSet, a ReplicaSet's pod. Pure. */
export function eventsOf(events: readonly Event[], names: readonly string[]): ClusterDetail["events"] {
  const when = (e: Event) => e.lastTimestamp ?? e.eventTime ?? e.metadata.creationTimestamp ?? ""
  return events
    .filter(({ involvedObject }) => {
      const about = involvedObject?.name ?? ""
      return names.some((name) => about === name || about.startsWith(`${name}-`))
    })
    .sort((a, b) => (when(a) > when(b) ? -1 : 1))
    .slice(0, mostEvents)
    .map((e) => ({
      about: `${e.involvedObject?.kind ?? ""} ${e.involvedObject?.name ?? ""}`.trim(),
      text: `${e.reason ?? ""}: ${e.message ?? ""}`,
      at: when(e),
    }))
}

/** Events as lines of a log, the newest last; "" when there are none. Pure. */
export function eventLines(events: ClusterDetail["events"]): string {
  return [...events]
    .reverse()
    .map(({ text }) => `[event] ${text}\n`)
    .join("")
}
