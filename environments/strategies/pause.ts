import { setTimeout as sleep } from "node:timers/promises"
import { abortedFault, pausedFault } from "../faults.js"
import type { Analysis } from "../analysis/settings.js"
import type { JudgedRollout } from "./rollout.js"
import type { JudgedStrategy } from "./settings.js"
import type { RolloutDecision } from "./state.js"
import { shift } from "./traffic.js"
import { tickMs, watcherOf } from "./watch.js"

/**
 * Waits for a person, and goes on judging meanwhile: what turns bad is taken back without asking. After `pauseSeconds` the
 * release before has all the traffic, and the step waits without a process.
 * @throws ROLLOUT-PAUSED (waiting), ROLLOUT-ABORTED, ROLLOUT-UNFIT
 */
export async function pause(
  rollout: JudgedRollout<JudgedStrategy>,
  analysis: Analysis,
  percent: number,
  why: string,
): Promise<RolloutDecision> {
  const { target, journal, strategy, signal, tell, observe } = rollout
  // A process that finds it paused has missed the time in which somebody watched.
  const watched = journal.state.phase !== "paused"
  if (watched) {
    await journal.write({ phase: "paused", why })
    observe?.({ at: new Date().toISOString(), percent, text: `paused: ${why}` })
    tell(`paused at ${percent} %: ${why}`)
    for (const line of howToDecide(target.environment, target.service)) tell(line)
  }
  const watcher = watcherOf(rollout, analysis, watched ? percent : 0)
  const until = performance.now() + (watched ? strategy.pauseSeconds * 1000 : 0)
  for (;;) {
    const decision = await journal.decision()
    if (decision !== undefined) {
      tell(`${decision.by} says ${decision.kind}: ${decision.reason}`)
      observe?.({ at: decision.at, percent, text: `${decision.kind} by ${decision.by}: ${decision.reason}` })
      if (decision.kind === "abort") throw abortedFault(target, decision)
      return decision
    }
    signal.throwIfAborted()
    await watcher.look()
    if (performance.now() >= until) break
    await watcher.measure(false)
    await sleep(tickMs(analysis), undefined, { signal })
  }
  await shift(rollout, 0)
  tell(`nobody decided: the release before has all the traffic until somebody does; the new one stays up`)
  throw pausedFault(target, why, howToDecide(target.environment, target.service))
}

export function howToDecide(environment: string, service: string): readonly string[] {
  const who = `${environment} --service ${service} --as <name> --reason <text>`
  return [`to go on:    gantry promote ${who}`, `to go back:  gantry abort ${who}`]
}
