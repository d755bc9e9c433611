import type { Track } from "./values.js"
import { otherTrack, trafficOf, type TrafficState } from "./traffic.js"
import { labels } from "./labels.js"
import { isOver, type Deployment, type Pod, type Service } from "./kinds.js"
import type { Scene } from "./scene.js"

/** What runs of a service, and who has the traffic. */
export interface Tracks {
  readonly deployments: Readonly<Partial<Record<Track, Deployment>>>
  readonly traffic: TrafficState
}

export const deploymentName = (service: string, track: Track) => `${service}-${track}`

const selector = ({ service }: Pick<Scene, "service">) => `${labels.name}=${service},${labels.part}=instance`

export async function readTracks(scene: Pick<Scene, "cluster" | "namespace" | "service">): Promise<Tracks> {
  const { cluster, namespace, service } = scene
  const [found, main] = await Promise.all([
    cluster.list<Deployment>({ apiVersion: "apps/v1", kind: "Deployment", namespace, labels: selector(scene) }),
    cluster.read<Service>({ apiVersion: "v1", kind: "Service", namespace, name: service }),
  ])
  const of = (track: Track) =>
    found.find((d) => d.metadata.labels?.[labels.track] === track && d.metadata.deletionTimestamp === undefined)
  const [blue, green] = [of("blue"), of("green")]
  return { deployments: { ...(blue && { blue }), ...(green && { green }) }, traffic: trafficOf(main) }
}

/**
 * Pods of the service's instances, those that are on their way out as well. Oldest first. One that is over (evicted, refused by its
 * node) stays as a record until somebody clears it away: another has taken its place.
 */
export async function readPods(scene: Pick<Scene, "cluster" | "namespace" | "service">): Promise<readonly Pod[]> {
  const { cluster, namespace } = scene
  const pods = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace, labels: selector(scene) })
  const age = ({ metadata }: Pod) => `${metadata.creationTimestamp ?? ""} ${metadata.name}`
  return pods.filter((pod) => !isOver(pod)).sort((a, b) => (age(a) < age(b) ? -1 : 1))
}

export const trackOfPod = ({ metadata }: Pod): Track => (metadata.labels?.[labels.track] === "green" ? "green" : "blue")
export const keyOfPod = ({ metadata }: Pod): string => metadata.labels?.[labels.releaseKey] ?? ""
export const keyOf = (deployment: Deployment | undefined): string | undefined =>
  deployment?.spec.template.metadata?.labels?.[labels.releaseKey]

/** The track on which a release runs, or would: where it is, else the one that is free. Pure. */
export function trackFor({ deployments, traffic }: Tracks, key: string): Track {
  if (keyOf(deployments.blue) === key) return "blue"
  if (keyOf(deployments.green) === key) return "green"
  const { active } = traffic
  return deployments[active] === undefined ? active : otherTrack(active)
}
