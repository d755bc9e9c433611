import { heedAbort } from "./heed.js"
import { pause } from "./pause.js"
import { openPreview } from "./preview.js"
import { provide } from "./provide.js"
import { roll } from "./rolling.js"
import type { JudgedRollout } from "./rollout.js"
import { swiftly, type CanaryStep, type CanaryStrategy } from "./settings.js"
import { canaryInstances } from "./shares.js"
import { shift } from "./traffic.js"
import { hold } from "./watch.js"

/**
 * A growing share of the traffic while the figures are good (section 3.3.3). The release before stays whole until the new
 * one has everything. Where it stands is in the journal, and what runs is looked at: any process can carry it on.
 * @throws ROLLOUT-UNFIT, ROLLOUT-ABORTED, ROLLOUT-PAUSED, DEPLOY-…
 */
export async function canary(rollout: JudgedRollout<CanaryStrategy>): Promise<void> {
  const { steps } = rollout.strategy
  const { journal } = rollout
  for (;;) {
    const { step: at, phase } = journal.state
    // With fewer steps than it has come already it is at the last one: that they were taken away promotes nothing.
    const step = steps[at] ?? steps.at(-1)
    if (phase === "finishing" || step === undefined) break
    const full = await take(rollout, step)
    await journal.advance({ phase: full || at + 1 >= steps.length ? "finishing" : "shifting", step: at + 1 })
  }
  await finish(rollout)
}

/** One step, until it is through. @returns whether the steps behind it are left out, because a person says so */
async function take(rollout: JudgedRollout<CanaryStrategy>, step: CanaryStep): Promise<boolean> {
  const { strategy, journal, replicas, tell } = rollout
  const { analysis, steps } = strategy
  if (journal.state.phase === "paused") {
    return (await pause(rollout, analysis, step.percent, journal.state.why ?? "")).full
  }
  const fresh = await provide(rollout, canaryInstances(step.percent, replicas))
  if (strategy.testers !== undefined) await openPreview(rollout, fresh)
  if (journal.state.since === undefined) {
    tell(
      `step ${Math.min(journal.state.step + 1, steps.length)} of ${steps.length}: ${step.percent} % of the traffic for ${step.seconds} s`,
    )
  }
  const held = await hold(rollout, { ...step, analysis })
  if (held.end === "promoted") return held.decision.full
  if (held.end === "passed" && !step.pause) return false
  const why = held.end === "unsure" ? held.why : "this step waits for a person"
  return (await pause(rollout, analysis, step.percent, why)).full
}

/** The new release at full size takes everything at once; then what ran before goes. */
async function finish(rollout: JudgedRollout<CanaryStrategy>): Promise<void> {
  const { target, strategy, replicas, journal } = rollout
  await journal.write({ phase: "finishing" })
  await provide(rollout, replicas)
  await heedAbort(rollout)
  await shift(rollout, 100)
  await target.setPreview([])
  await roll({ ...rollout, strategy: swiftly(strategy, replicas) })
}
