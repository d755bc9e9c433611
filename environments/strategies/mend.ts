import { awaitFit, removeDead, startInstances } from "./instances.js"
import type { JudgedRollout, Rollout } from "./rollout.js"
import type { JudgedStrategy, Strategy } from "./settings.js"
import type { Sides } from "./traffic.js"

/**
 * Keeps the release before whole while it is needed: an instance of it that ended for good is replaced. It gets its share
 * with the next shift. What cannot be replaced is said, and tried again: the instances that are left go on serving.
 */
export async function mend(rollout: JudgedRollout<JudgedStrategy>, sides: Sides): Promise<void> {
  const dead = sides.stable.filter((i) => i.state === "dead")
  // Where others set the number meanwhile, what they take away is not missing.
  const free = rollout.target.wantedReplicas !== undefined
  const missing = free ? dead.length : rollout.replicas - (sides.stable.length - dead.length)
  if (dead.length === 0 && missing <= 0) return
  const before: Rollout<Strategy> = { ...rollout, release: rollout.stable }
  await removeDead(before, dead)
  if (missing <= 0) return
  try {
    await awaitFit(before, await startInstances(before, missing))
  } catch (error) {
    rollout.signal.throwIfAborted()
    rollout.tell(`an instance of the release before cannot be replaced: ${(error as Error).message}`)
  }
}
