import { z } from "zod"
import type { Cluster } from "../../../clients/kubernetes/index.js"
import { fault } from "../../../core/errors.js"
import type { Secret } from "../kinds.js"
import type { KubernetesObject } from "../object.js"
import { KeptObjects, mostBytes, packed, unpacked } from "../pack.js"
import { dependencyMark, type DependencyOwner } from "./marks.js"

/** What a dependency consists of, as it was applied last: a Secret, for charts draw passwords. */
const Shape = z.object({
  schema: z.literal(1),
  objects: KeptObjects,
})

interface Place {
  readonly cluster: Pick<Cluster, "read" | "apply">
  readonly namespace: string
}

const refOf = (namespace: string, name: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  namespace,
  name: `gantry-dependency-${name}`,
})

/** @throws DEPENDENCY-TOO-LARGE */
export async function keepObjects(
  { cluster, namespace }: Place,
  owner: DependencyOwner,
  objects: readonly KubernetesObject[],
): Promise<void> {
  const { apiVersion, kind, name } = refOf(namespace, owner.name)
  const { bytes, base64 } = packed({ schema: 1, objects })
  if (bytes > mostBytes) {
    throw fault({
      code: "DEPENDENCY-TOO-LARGE",
      kind: "usage",
      message: `${owner.name} in ${owner.environment}: its objects are too large to be kept`,
      reason: `${bytes} bytes, packed; a Secret takes ${mostBytes}.`,
      hint: "Divide it into several dependencies. Large files belong into an image or a volume.",
    })
  }
  const metadata = { name, namespace, labels: { ...dependencyMark(owner), "gantry.dev/part": "memory" } }
  await cluster.apply({
    apiVersion,
    kind,
    metadata,
    type: "gantry.dev/dependency",
    data: { objects: base64 },
  })
}

/** None when nothing was kept, or what was kept cannot be read: then everything is applied as it is rendered. */
export async function keptObjects({ cluster, namespace }: Place, name: string): Promise<readonly KubernetesObject[]> {
  const secret = await cluster.read<Secret>(refOf(namespace, name))
  return Shape.safeParse(unpacked(secret, "objects")).data?.objects ?? []
}
