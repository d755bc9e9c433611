import { abortedFault } from "../faults.js"
import type { JudgedRollout } from "./rollout.js"
import type { JudgedStrategy } from "./settings.js"

/**
 * Where nobody else looks at what people say: before all traffic moves, and before it is over. Whoever aborts was told that
 * it is taken up; a word that comes in such a moment must not be lost. @throws ROLLOUT-ABORTED
 */
export async function heedAbort({ target, journal }: JudgedRollout<JudgedStrategy>): Promise<void> {
  const decision = await journal.decision()
  if (decision?.kind === "abort") throw abortedFault(target, decision)
}
