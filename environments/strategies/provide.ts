import type { Instance } from "../target.js"
import { awaitFit, removeDead, startInstances } from "./instances.js"
import type { JudgedRollout } from "./rollout.js"
import type { JudgedStrategy } from "./settings.js"
import { look } from "./traffic.js"

/**
 * So many instances of the new release, ready, with no more traffic than before. Those that are there count.
 * @throws DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY
 */
export async function provide(rollout: JudgedRollout<JudgedStrategy>, count: number): Promise<readonly Instance[]> {
  const dead = (await look(rollout)).fresh.filter((i) => i.state === "dead")
  await removeDead(rollout, dead)
  const alive = (await look(rollout)).fresh.length
  if (alive < count) await startInstances(rollout, count - alive)
  const { fresh } = await look(rollout)
  const waiting = fresh.filter((i) => i.weight === 0)
  if (waiting.length > 0) await awaitFit(rollout, waiting)
  return fresh
}
