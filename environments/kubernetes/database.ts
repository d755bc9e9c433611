import { randomBytes } from "node:crypto"
import type { KubeObject } from "../../clients/kubernetes/index.js"
import { fault } from "../../core/errors.js"
import type { Secret } from "./kinds.js"
import { ownLabels } from "./memory-place.js"
import type { Scene } from "./scene.js"

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
