import { randomBytes } from "node:crypto"
import { setTimeout as sleep } from "node:timers/promises"
import type { KubeObject } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import type { Pod, Secret } from "./kinds.js"
import { conditionOf, isTrue } from "./kinds.js"
import { ownLabels } from "./memory-place.js"
import type { Scene } from "./scene.js"
import { labels } from "./labels.js"
import { troubleOf } from "./trouble.js"

/** A volume is made, and MariaDB fills it. Seconds. */
const startSeconds = 240
const pollMs = 500

export const databaseSecret = (service: string) => `${service}-db-credentials`
const claimName = (service: string) => `data-${service}-db-0`

type Place = Pick<Scene, "cluster" | "namespace" | "project" | "environment" | "service">

const secretRef = ({ namespace, service }: Pick<Scene, "namespace" | "service">) => ({
  apiVersion: "v1",
  kind: "Secret",
  namespace,
  name: databaseSecret(service),
})

/**
 * Has the credentials of the service's database exist: generated there, different in every environment, never changed.
 * @throws ENV-DATABASE-LOCKED when there are data and no credentials of them
 */
export async function ensureCredentials(place: Place): Promise<void> {
  const { cluster, service, environment, namespace } = place
  const ref = secretRef(place)
  if ((await cluster.read<Secret>(ref)) !== undefined) return
  if ((await claimOf(place)) !== undefined) {
    throw fault({
      code: "ENV-DATABASE-LOCKED",
      kind: "errored",
      message: `The database of ${service} in ${environment.name} is there, its password is not`,
      reason: `Volume claim ${claimName(service)} in ${namespace} was filled with credentials of a Secret ${ref.name} that is gone.`,
      hint: `Bring the Secret back (keys password and root-password). If the data may go: kubectl -n ${namespace} delete statefulset ${service}-db; kubectl -n ${namespace} delete pvc ${claimName(service)}`,
    })
  }
  const word = () => randomBytes(24).toString("base64url")
  const meta = { project: place.project, environment: environment.name, service }
  await cluster.create({
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: { name: ref.name, namespace, labels: ownLabels(meta, "database") },
    type: "Opaque",
    stringData: { password: word(), "root-password": word() },
  })
}

/** The passwords that no log may show. */
export async function databaseSecrets(
  place: Pick<Scene, "cluster" | "namespace" | "service">,
): Promise<readonly string[]> {
  const secret = await place.cluster.read<Secret>(secretRef(place))
  return Object.values(secret?.data ?? {}).map((value) => Buffer.from(value, "base64").toString("utf8"))
}

/** When the volume of the service's database was made, RFC 3339; undefined: there are no data yet. */
export async function dataSince(place: Pick<Scene, "cluster" | "namespace" | "service">): Promise<string | undefined> {
  return (await claimOf(place))?.metadata.creationTimestamp
}

const claimOf = ({ cluster, namespace, service }: Pick<Scene, "cluster" | "namespace" | "service">) =>
  cluster.read<KubeObject>({ apiVersion: "v1", kind: "PersistentVolumeClaim", namespace, name: claimName(service) })

/** Waits until the service's database lets its user in. @throws ENV-DATABASE with the cluster's or its own last words */
export async function awaitDatabase(place: Place, signal: AbortSignal): Promise<void> {
  const { cluster, namespace, service, environment } = place
  const started = performance.now()
  for (;;) {
    signal.throwIfAborted()
    const [pod] = await cluster.list<Pod>({
      apiVersion: "v1",
      kind: "Pod",
      namespace,
      labels: `${labels.name}=${service}-db`,
    })
    if (pod !== undefined && isTrue(pod.status?.conditions, "Ready")) return
    const trouble = pod === undefined ? undefined : troubleOf(pod, Date.now())
    const seconds = (performance.now() - started) / 1000
    // A claim that is bound a moment later makes it unschedulable until then.
    const ends = trouble !== undefined && (trouble.kind !== "unschedulable" || seconds > 30)
    if (ends || seconds > startSeconds) {
      const logs = pod === undefined ? "" : await cluster.logs({ namespace, name: pod.metadata.name }, { lines: 15 })
      const why = trouble?.text ?? conditionOf(pod?.status?.conditions, "Ready")?.message ?? "there is no pod of it"
      throw fault({
        code: "ENV-DATABASE",
        kind: "errored",
        message: `The database of ${service} in ${environment.name} is not ready after ${seconds.toFixed(0)} s`,
        reason: `${why}${logs.trim() === "" ? "" : `\nIts last lines:\n${logs.trim()}`}`,
        hint: `kubectl -n ${namespace} describe pod ${service}-db-0`,
      })
    }
    await sleep(pollMs, undefined, { signal })
  }
}
