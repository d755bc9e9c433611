import { setTimeout as sleep } from "node:timers/promises"
import type { Cluster, KubeObject } from "../../clients/kubernetes/index.js"
import { databaseSecret } from "./database.js"
import { labels } from "./labels.js"
import type { Pod } from "./kinds.js"

export interface RemovePlace {
  readonly namespace: string
  readonly project: string
  readonly environment: string
  /** Databases' volumes, credentials and what is remembered, too. */
  readonly data: boolean
}

const rbac = "rbac.authorization.k8s.io/v1"
const networking = "networking.k8s.io/v1"
/** Kinds that the chart makes, what leads to the instances first. */
const kinds = [
  ["gateway.networking.k8s.io/v1", "HTTPRoute"],
  [networking, "Ingress"],
  ["batch/v1", "CronJob"],
  ["batch/v1", "Job"],
  ["autoscaling/v2", "HorizontalPodAutoscaler"],
  ["policy/v1", "PodDisruptionBudget"],
  ["apps/v1", "Deployment"],
  ["apps/v1", "StatefulSet"],
  ["v1", "Service"],
  [networking, "NetworkPolicy"],
  ["v1", "ConfigMap"],
  [rbac, "RoleBinding"],
  [rbac, "Role"],
  ["v1", "ServiceAccount"],
] as const

/** Their time to drain and to end, and the kubelet's. Seconds. */
const patience = 180

/**
 * Removes what Gantry made in a namespace; the namespace stays, and whatever else is in it. Returns when the pods are gone.
 * Databases' volumes, their credentials and the memory go with `data` alone.
 */
export async function removeEnvironment(cluster: Cluster, place: RemovePlace): Promise<void> {
  const { namespace, data } = place
  const ours: readonly (readonly [string, string])[] = [
    [labels.managedBy, "gantry"],
    [labels.project, place.project],
    [labels.environment, place.environment],
  ]
  // Of some part: what `gantry env rbac` makes, the account with its rights and the policies that deny, is of none, and stays.
  const selector = [...ours.map(([name, value]) => `${name}=${value}`), labels.part].join(",")
  const isOurs = (object: KubeObject | undefined) =>
    object !== undefined && ours.every(([name, value]) => object.metadata.labels?.[name] === value)
  const listOf = async (apiVersion: string, kind: string): Promise<readonly KubeObject[]> =>
    (await cluster.serves(apiVersion, kind)) ? cluster.list({ apiVersion, kind, namespace, labels: selector }) : []
  const remove = ({ apiVersion, kind, metadata }: KubeObject) =>
    cluster.remove({ apiVersion, kind, namespace, name: metadata.name })
  const partOf = (object: KubeObject) => object.metadata.labels?.[labels.part]

  for (const [apiVersion, kind] of kinds) {
    const found = await listOf(apiVersion, kind)
    await Promise.all(found.filter((o) => partOf(o) !== "memory").map(remove))
  }
  await untilEmpty(cluster, place)
  if (!data) return
  for (const claim of await cluster.list({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace })) {
    const service = /^data-(.+)-db-0$/.exec(claim.metadata.name)?.[1]
    if (service === undefined || claim.metadata.labels?.[labels.name] !== `${service}-db`) continue
    // Whose it is, its credentials say; they go last, for without them a volume is locked.
    const secret = { apiVersion: "v1", kind: "Secret", namespace, name: databaseSecret(service) }
    if (!isOurs(await cluster.read<KubeObject>(secret))) continue
    await cluster.remove({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claim.metadata.name })
    await cluster.remove(secret)
  }
  for (const [apiVersion, kind] of [
    ["v1", "ConfigMap"],
    ["coordination.k8s.io/v1", "Lease"],
  ] as const) {
    await Promise.all((await listOf(apiVersion, kind)).map(remove))
  }
}

async function untilEmpty(cluster: Cluster, { namespace, project, environment }: RemovePlace): Promise<void> {
  const deadline = performance.now() + patience * 1000
  const selector = `${labels.project}=${project},${labels.environment}=${environment}`
  const pods = () => cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace, labels: selector })
  while ((await pods()).length > 0 && performance.now() < deadline) await sleep(500)
}
