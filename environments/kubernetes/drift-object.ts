import { refOf, type Cluster, type KubeObject } from "../../clients/kubernetes/index.js"
import { isFault } from "../../core/errors.js"
import type { Drift } from "../views/drift.js"
import { differences, isWithin, pathText, refusedPath, valueText, type Difference } from "./fields.js"
import { additions, claims, managerOf } from "./managers.js"

export const objectText = ({ kind, metadata }: Pick<KubeObject, "kind" | "metadata">) => `${kind} ${metadata.name}`

/**
 * What of an object in the cluster is not as an apply would leave it: the cluster itself is asked, by a dry run. Others' changes
 * to Gantry's fields are named with who made them, and so is what others added.
 */
export async function objectDrift(cluster: Pick<Cluster, "read" | "apply">, wanted: KubeObject): Promise<Drift[]> {
  const what = objectText(wanted)
  const found = await cluster.read<KubeObject>(refOf(wanted))
  if (found === undefined) return [{ what, field: "object", expected: "there", found: "none" }]
  if (found.metadata.deletionTimestamp !== undefined) {
    return [
      { what, field: "object", expected: "there", found: `being deleted since ${found.metadata.deletionTimestamp}` },
    ]
  }
  return driftBetween(found, await wouldBe(cluster, wanted, found))
}

const notApplied: readonly string[] = ["K8S-INVALID", "K8S-DENIED", "K8S-WEBHOOK"]

/** What the object would be after an apply, or in which fields it cannot be brought there. */
async function wouldBe(
  cluster: Pick<Cluster, "apply">,
  wanted: KubeObject,
  found: KubeObject,
): Promise<readonly Difference[]> {
  try {
    return differences(await cluster.apply(wanted, { dryRun: "would" }), found)
  } catch (error) {
    // A field that can never be changed has been made otherwise, by deleting the object and making it anew; or a webhook says
    // no to everything, or nothing at all.
    if (!isFault(error) || !notApplied.includes(error.code)) throw error
    // What is nothing the cluster does not keep.
    const direct = differences(wanted, found, "expected").filter((d) => d.found !== undefined || !isNothing(d.expected))
    if (direct.length > 0) return direct
    return [{ path: [refusedPath], expected: "accepted", found: error.reason ?? error.message }]
  }
}

const isNothing = (value: unknown) => value === 0 || value === "" || value === false

/** The lines about an object. Pure. */
export function driftBetween(found: KubeObject, changed: readonly Difference[]): Drift[] {
  const what = objectText(found)
  const known = claims(found)
  const line = ({ path, expected, found: is }: Difference, manager: string | undefined): Drift => ({
    what,
    field: pathText(path),
    expected: valueText(path, expected),
    found: valueText(path, is),
    ...(manager === undefined ? {} : { by: manager }),
  })
  const added = additions(found).filter(
    ({ path }) => !changed.some((c) => isWithin(c.path, path) || isWithin(path, c.path)),
  )
  return [
    ...changed.map((c) => line(c, managerOf(known, c.path))),
    ...added.map(({ path, manager, value }) => line({ path, expected: undefined, found: value }, manager)),
  ]
}
