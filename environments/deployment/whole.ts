import { isServing } from "../strategies/moves.js"
import { readKept } from "../strategies/state.js"
import type { Instance, Target } from "../target.js"

/** How many instances a release is to have: as configured, or as others have set it who may. */
export async function replicasOn(target: Pick<Target, "wantedReplicas">, configured: number): Promise<number> {
  return target.wantedReplicas?.(configured) ?? configured
}

/** Whether exactly this release has the traffic, whole and healthy; blue that is kept does not count. */
export async function runsAlone(target: Target, key: string, replicas: number): Promise<boolean> {
  const kept = await readKept(target.notes)
  const instances = (await target.describe()).filter((i) => !(i.key === kept?.key && i.key !== key && i.weight === 0))
  // Whatever number the autoscaler has come to, that is whole.
  const wanted = target.elastic === true ? Math.max(1, instances.length) : await replicasOn(target, replicas)
  return runsWhole(instances, key, wanted)
}

/** Whether exactly this release runs, whole and healthy. */
export function runsWhole(instances: readonly Instance[], key: string, replicas: number): boolean {
  return instances.length === replicas && instances.every((i) => i.key === key && isServing(i))
}
