import { isServing } from "./strategies/moves.js"
import { readKept } from "./strategies/state.js"
import type { Instance, Target } from "./target.js"

/** Whether exactly this release has the traffic, whole and healthy; blue that is kept does not count. */
export async function runsAlone(target: Target, key: string, replicas: number): Promise<boolean> {
  const kept = await readKept(target.notes)
  const instances = (await target.describe()).filter((i) => !(i.key === kept?.key && i.key !== key && i.weight === 0))
  return runsWhole(instances, key, replicas)
}

/** Whether exactly this release runs, whole and healthy. */
export function runsWhole(instances: readonly Instance[], key: string, replicas: number): boolean {
  return instances.length === replicas && instances.every((i) => i.key === key && isServing(i))
}
