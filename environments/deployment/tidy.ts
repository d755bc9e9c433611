import { alone } from "./alone.js"
import type { DeployOptions } from "./deployment.js"
import { retire } from "../strategies/instances.js"
import { readKept, readRollout, writeKept } from "../strategies/state.js"

/**
 * Removes blue whose time is over. Nothing else of ours removes it before the next release comes.
 * @returns what became of it: `none` there is no blue, `kept` its time is not over or a rollout goes on, `removed`
 * @throws DEPLOY-LOCKED
 */
export async function tidy(
  options: Pick<DeployOptions, "target" | "environment" | "signal" | "tell" | "keepLog">,
  now: Date = new Date(),
): Promise<"none" | "kept" | "removed"> {
  const { target, environment, tell } = options
  // Looked at without the lock first: a rollout that goes on is not to be waited for when there is nothing to do.
  const found = await readKept(target.notes)
  if (found === undefined) return "none"
  if (Date.parse(found.until) > now.getTime()) return "kept"
  return alone(options, async () => {
    const kept = await readKept(target.notes)
    if (kept === undefined) return "none"
    if (Date.parse(kept.until) > now.getTime()) return "kept"
    // Blue may be the very release that a rollout which pauses is about.
    if ((await readRollout(target.notes)) !== undefined) return "kept"
    const blue = (await target.describe()).filter((i) => i.key === kept.key && i.weight === 0)
    const [first] = blue
    if (first !== undefined) {
      tell(`blue was kept until ${kept.until}: ${blue.map((i) => i.name).join(", ")}`)
      const { replicas, strategy } = environment
      await Promise.all(blue.map((i) => retire({ ...options, release: first.release, replicas, strategy }, i)))
    }
    await writeKept(target.notes, undefined)
    return "removed"
  })
}
