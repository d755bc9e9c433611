import { z } from "zod"
import { fault } from "../../../core/errors.js"
import { hashJson } from "../../../core/json.js"
import { releaseKey, releaseName, ReleaseSpec } from "../../release.js"
import type { Secret } from "../kinds.js"
import { ownLabels } from "../memory-place.js"
import type { KubernetesObject } from "../object.js"
import { KeptObjects, mostBytes, packed, unpacked } from "../pack.js"
import type { OwnPlace } from "./marks.js"

/** A release with the objects it consists of, as they were rendered. */
export interface KeptRelease {
  readonly release: ReleaseSpec
  readonly objects: readonly KubernetesObject[]
}

const Shape = z.object({
  schema: z.literal(1),
  release: ReleaseSpec,
  objects: KeptObjects,
})

const refOf = ({ namespace, service }: Pick<OwnPlace, "namespace" | "service">, key: string) => ({
  apiVersion: "v1",
  kind: "Secret",
  namespace,
  name: `gantry-${service}-own-${key}`,
})

/**
 * Keeps a release in the namespace, once: what the first deployment of it brought is what it is. A Secret, for a chart may
 * have rendered passwords. @throws OWN-TOO-LARGE
 */
export async function keepRelease(place: OwnPlace, kept: KeptRelease): Promise<void> {
  const ref = refOf(place, releaseKey(kept.release))
  const { bytes, base64 } = packed({ schema: 1, ...kept })
  if (bytes > mostBytes) {
    throw fault({
      code: "OWN-TOO-LARGE",
      kind: "usage",
      message: `${place.service}: its own objects are too large to be kept with the release`,
      reason: `${bytes} bytes, packed; a Secret takes ${mostBytes}.`,
      hint: "Large files belong into the image or a volume, not into a ConfigMap.",
    })
  }
  const names = { project: place.project, environment: place.environment.name, service: place.service }
  await place.cluster.create({
    apiVersion: ref.apiVersion,
    kind: ref.kind,
    metadata: { name: ref.name, namespace: place.namespace, labels: ownLabels(names, "memory") },
    type: "gantry.dev/release",
    immutable: true,
    data: { release: base64 },
  })
}

/** @throws OWN-FORGOTTEN when it is not kept, or is not what it was */
export async function readRelease(place: OwnPlace, release: ReleaseSpec): Promise<KeptRelease> {
  const ref = refOf(place, releaseKey(release))
  const secret = await place.cluster.read<Secret>(ref)
  const { data: kept } = Shape.safeParse(unpacked(secret, "release"))
  if (kept !== undefined && hashJson(kept.objects) === release.own)
    return { release: kept.release, objects: kept.objects }
  throw fault({
    code: "OWN-FORGOTTEN",
    kind: "errored",
    message: `${place.service}: the objects of ${releaseName(release)} are not there any more`,
    reason: `Secret ${ref.name} in ${place.namespace} ${secret === undefined ? "is gone" : "is not what was written"}.`,
    hint: `Deliver its commit again: gantry run delivery --commit ${release.commit.slice(0, 12)}.`,
  })
}

export const forgetRelease = (place: Pick<OwnPlace, "cluster" | "namespace" | "service">, key: string) =>
  place.cluster.remove(refOf(place, key))
