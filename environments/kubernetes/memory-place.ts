import type { Cluster } from "../../clients/kubernetes/index.js"
import { labels } from "./labels.js"

/** What of a cluster a memory needs. */
export type MemoryCluster = Pick<Cluster, "read" | "create" | "replace" | "remove">

/** Where a service's place is in a cluster. */
export interface ClusterPlace {
  readonly cluster: MemoryCluster
  readonly namespace: string
  readonly project: string
  readonly environment: string
  readonly service: string
}

export const memoryName = (service: string) => `gantry-${service}`

/** Labels of what belongs to a service without being part of its release. */
export const ownLabels = (
  { project, environment, service }: Omit<ClusterPlace, "cluster" | "namespace">,
  part: string,
) => ({
  [labels.managedBy]: "gantry",
  [labels.project]: project,
  [labels.environment]: environment,
  [labels.name]: service,
  [labels.part]: part,
})
