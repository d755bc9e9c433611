import type { KubernetesObject } from "../object.js"
import { notMadeOf } from "../own/wait.js"
import type { Seen, Watched } from "./snapshot.js"

/** What would make pods, and may not: a quota, Pod Security. */
export interface Refused {
  readonly maker: KubernetesObject
  /** In the cluster's words. */
  readonly said: string
}

/**
 * Whose pods the cluster refuses. An operator hears of it and mostly keeps it to itself: its own kind says "Not ready".
 * @param began since when words count, in milliseconds since 1970: older ones are of the declaration before
 */
export async function refusedOf(
  watched: Watched,
  { makers, pods }: Pick<Seen, "makers" | "pods">,
  began: number,
): Promise<Refused | undefined> {
  const parents = new Set([...makers, ...pods].flatMap((o) => o.metadata.ownerReferences?.map(({ uid }) => uid) ?? []))
  const childless = makers.filter((m) => m.metadata.uid !== undefined && !parents.has(m.metadata.uid) && wantsPods(m))
  const said = await Promise.all(
    childless.map(async (maker) => ({ maker, said: await notMadeOf(watched, maker, began) })),
  )
  return said.find((one): one is Refused => one.said !== undefined)
}

/** A ReplicaSet that was left behind has none, and wants none. */
const wantsPods = (maker: KubernetesObject) =>
  (maker["spec"] as { readonly replicas?: number } | undefined)?.replicas !== 0
