import { setTimeout as sleep } from "node:timers/promises"
import { isFault } from "../../core/errors.js"
import type { Analysis } from "../analysis/settings.js"
import { verdictText } from "../analysis/text.js"
import type { Verdict } from "../analysis/verdict.js"
import { abortedFault, lastLines, unfitFault } from "../faults.js"
import { watchFitness, type Unfit } from "./fitness.js"
import { logLines } from "./instances.js"
import { mend } from "./mend.js"
import type { JudgedRollout } from "./rollout.js"
import type { JudgedStrategy } from "./settings.js"
import type { RolloutDecision } from "./state.js"
import { look, shift } from "./traffic.js"

/** How a release is held at its share of the traffic. */
export interface Hold {
  readonly percent: number
  readonly seconds: number
  readonly analysis: Analysis
}

/** `passed`: the last measurement was good · `unsure`: time is over, and the figures say neither yes nor no. */
export type Held =
  | { readonly end: "passed" }
  | { readonly end: "unsure"; readonly why: string }
  | { readonly end: "promoted"; readonly decision: RolloutDecision }

const longestTickMs = 250
/** How often instances and decisions are looked at: faster than the figures come. */
export const tickMs = ({ intervalSeconds }: Analysis) => Math.min(longestTickMs, intervalSeconds * 250)

/**
 * Holds the new release at its share, measures it, and looks at its instances meanwhile.
 * @throws ROLLOUT-UNFIT (failed) when it is bad, ROLLOUT-ABORTED (failed) when a person says so
 */
export async function hold(
  rollout: JudgedRollout<JudgedStrategy>,
  { percent, seconds, analysis }: Hold,
): Promise<Held> {
  const { journal, signal } = rollout
  await shift(rollout, percent)
  if (journal.state.since === undefined) await journal.write({ since: new Date().toISOString(), failures: 0 })
  const watcher = watcherOf(rollout, analysis, percent)
  for (;;) {
    signal.throwIfAborted()
    const decision = await journal.decision()
    if (decision?.kind === "abort") throw abortedFault(rollout.target, decision)
    if (decision?.kind === "promote") return { end: "promoted", decision }
    await watcher.look()
    const over = sinceSeconds(rollout) >= seconds
    const verdict = await watcher.measure(over)
    if (over && verdict !== undefined) {
      if (verdict.judgement === "pass") return { end: "passed" }
      // One bad measurement of several that are allowed: it is not through, and not good enough to go on either.
      // Too few requests are called so when a whole window had its time, however short the step is.
      const full = sinceSeconds(rollout) >= analysis.windowSeconds
      if (verdict.judgement === "inconclusive" && full) return { end: "unsure", why: verdict.reason }
    }
    await sleep(Math.max(tickMs(analysis), rollout.target.pollMs ?? 0), undefined, { signal })
  }
}

export interface Watcher {
  /** Instances that are not fit are found here. @throws ROLLOUT-UNFIT */
  look(): Promise<void>
  /** Measures when the interval is over, or at once. @throws ROLLOUT-UNFIT after too many failures */
  measure(now: boolean): Promise<Verdict | undefined>
}

export function watcherOf(rollout: JudgedRollout<JudgedStrategy>, analysis: Analysis, percent: number): Watcher {
  const { target, release, journal, tell, observe } = rollout
  const unfit = watchFitness(release, target)
  let last = performance.now()
  let first = true

  return {
    async look() {
      const sides = await look(rollout)
      const bad = unfit(sides, performance.now())
      if (bad !== undefined) throw await badInstance(rollout, bad)
      await mend(rollout, sides)
      await shift(rollout, percent)
    },
    async measure(now) {
      const waited = (performance.now() - last) / 1000
      // The last moment of a step is measured as well, but never twice within a breath.
      if (waited < analysis.intervalSeconds && !(now && (first || waited >= 1))) return undefined
      last = performance.now()
      first = false
      const verdict = await judge(rollout)
      observe?.({ at: verdict.at, percent, verdict })
      tell(`${percent} % for ${sinceSeconds(rollout).toFixed(0)} s: ${verdictText(verdict)}`)
      if (verdict.judgement !== "fail") return verdict
      const failures = journal.state.failures + 1
      await journal.write({ failures })
      if (failures < analysis.failures) return verdict
      // An instance that died since the last look says better why than the figures that came of it.
      const bad = unfit(await look(rollout), performance.now())
      if (bad !== undefined) throw await badInstance(rollout, bad)
      throw unfitFault(target, percent, verdict.reason)
    },
  }
}

/** Figures that cannot be had are no figures: nothing is promoted on them, and nothing taken back. */
async function judge(rollout: JudgedRollout<JudgedStrategy>): Promise<Verdict> {
  const { target, release } = rollout
  const { fresh, stable } = await look(rollout)
  try {
    return await rollout.judge({
      service: target.service,
      canary: fresh,
      baseline: stable.filter((i) => i.weight > 0),
      probes: [release.readiness, ...(release.metrics === undefined ? [] : [release.metrics])],
      sinceSeconds: sinceSeconds(rollout),
    })
  } catch (error) {
    if (!isFault(error) || error.kind !== "errored") throw error
    const reason = `there are no figures: ${error.message}`
    const at = new Date().toISOString()
    return { judgement: "inconclusive", at, requests: { canary: 0, baseline: 0 }, measures: [], reason }
  }
}

async function badInstance(rollout: JudgedRollout<JudgedStrategy>, { instance, why }: Unfit) {
  const { target, keepLog, journal } = rollout
  const logs = await target.logs(instance, logLines).catch(() => "")
  await keepLog(`${instance.name}.log`, logs)
  const lines = lastLines(logs, 15)
  return unfitFault(
    target,
    journal.state.percent,
    `${instance.name}: ${why}.${lines === "" ? "" : ` Its last lines:\n${lines}`}`,
  )
}

export function sinceSeconds({ journal }: JudgedRollout<JudgedStrategy>): number {
  const { since } = journal.state
  return since === undefined ? 0 : Math.max(0, (Date.now() - Date.parse(since)) / 1000)
}
