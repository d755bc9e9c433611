import { analyse } from "../analysis/analyse.js"
import { checkFigures } from "../analysis/figures.js"
import { returnTo } from "./back.js"
import type { DeployOptions } from "./deployment.js"
import { releaseKey, releaseName, type ReleaseSpec } from "../release.js"
import { blueGreen } from "../strategies/blue-green.js"
import { canary } from "../strategies/canary.js"
import { heedAbort } from "../strategies/heed.js"
import { retire } from "../strategies/instances.js"
import { isServing } from "../strategies/moves.js"
import { roll } from "../strategies/rolling.js"
import type { JudgedRollout, Rollout } from "../strategies/rollout.js"
import { plainly, swiftly, type JudgedStrategy, type Strategy } from "../strategies/settings.js"
import {
  freshState,
  journalOf,
  readKept,
  readRefusals,
  readRollout,
  writeKept,
  type RolloutState,
} from "../strategies/state.js"
import type { Instance } from "../target.js"

/** By the strategy, where there is a release that has the traffic until the new one has earned it. */
export async function bring(
  options: DeployOptions,
  rollout: Rollout<Strategy>,
  instances: readonly Instance[],
  stable: ReleaseSpec | undefined,
  begun: RolloutState | undefined,
): Promise<void> {
  const { target, release, environment } = options
  const { strategy } = environment
  const { replicas } = rollout
  const judged = strategy.kind !== "rolling"
  const serves = stable !== undefined && instances.some((i) => i.key === releaseKey(stable) && isServing(i))
  const same = stable !== undefined && releaseKey(stable) === releaseKey(release)
  if (!judged || stable === undefined || same || (!serves && begun === undefined)) {
    // Blue that is kept goes with the rest: it is old, and gets no traffic.
    await writeKept(target.notes, undefined)
    return roll({ ...rollout, strategy: plainly(strategy, replicas) })
  }
  // Before any traffic moves: what cannot be judged is not begun.
  const judge = await judgeOf(options, strategy)
  const state = begun ?? freshState({ strategy: strategy.kind, from: stable, to: release, run: options.run })
  const journal = journalOf(target, state)
  if (begun === undefined) {
    await journal.write({})
    rollout.observe?.({ at: new Date().toISOString(), percent: 0, text: `${strategy.kind} begins` })
    await removeOthers(rollout, [releaseKey(stable), releaseKey(release)])
  } else {
    options.tell(`goes on with the rollout of ${state.startedAt}: ${state.phase}, step ${state.step + 1}`)
  }
  const all: JudgedRollout<JudgedStrategy> = {
    ...rollout,
    strategy,
    stable,
    journal,
    judge,
  }
  if (strategy.kind === "canary") await canary({ ...all, strategy })
  else await blueGreen({ ...all, strategy })
  await heedAbort(all)
  if (strategy.kind === "blue-green") await keepBlue(all, strategy.keepSeconds)
  await journal.end()
}

/** What is neither the release before nor the new one goes first: it would be in the way, and it has no traffic to lose. */
async function removeOthers(rollout: Rollout<Strategy>, keys: readonly string[]): Promise<void> {
  const { target, tell } = rollout
  if (!keys.includes((await readKept(target.notes))?.key ?? "")) await writeKept(target.notes, undefined)
  const others = (await target.describe()).filter((i) => !keys.includes(i.key))
  if (others.length > 0) tell(`${others.map((i) => i.name).join(", ")}: of another release, removed first`)
  await Promise.all(others.map((i) => retire(rollout, i)))
}

/** Blue stays for a while; without any patience it goes at once. */
async function keepBlue(rollout: JudgedRollout<JudgedStrategy>, seconds: number): Promise<void> {
  const { target, stable, strategy, replicas, tell } = rollout
  if (seconds > 0) {
    const until = new Date(Date.now() + seconds * 1000).toISOString()
    await writeKept(target.notes, { key: releaseKey(stable), until })
    tell(
      `blue, ${releaseName(stable)}, is kept until ${until}: gantry rollback ${target.environment} switches back at once`,
    )
    return
  }
  await writeKept(target.notes, undefined)
  await roll({ ...rollout, strategy: swiftly(strategy, replicas) })
}

/** By the environment's Prometheus, unless the caller knows better. @throws METRICS-UNREACHABLE, METRICS-NONE */
async function judgeOf(
  { judge, target, release, signal }: DeployOptions,
  strategy: JudgedStrategy,
): Promise<JudgedRollout<Strategy>["judge"]> {
  if (judge !== undefined) return judge
  if (strategy.kind === "canary" || strategy.watchSeconds > 0)
    checkFigures(await target.metrics(signal), release, target)
  return async (comparison) => analyse(await target.metrics(signal), strategy.analysis, comparison, signal)
}

/** A rollout that was left half done and cannot be carried on as it is: that is taken back first. */
export async function finishOther(rollout: Rollout<Strategy>, key: string): Promise<void> {
  const { target, tell } = rollout
  const begun = await readRollout(target.notes)
  if (begun === undefined) return
  const why = await notCarriedOn(rollout, begun, key)
  if (why === undefined) return
  tell(`a rollout of ${releaseName(begun.to)} was left half done (${why}): first back to ${releaseName(begun.from)}`)
  await returnTo({ ...rollout, release: begun.to }, begun.from, why)
}

async function notCarriedOn(
  { target, strategy }: Rollout<Strategy>,
  begun: RolloutState,
  key: string,
): Promise<string | undefined> {
  const to = releaseKey(begun.to)
  if (begun.phase === "going-back") return begun.why ?? "it was on its way back"
  // Refused, and killed before it was on its way back.
  const refusal = (await readRefusals(target.notes)).find((r) => r.key === to)
  if (refusal !== undefined) return refusal.why
  if (to !== key) return "another release is wanted"
  // What one strategy has found out is nothing that another could go on with: it would promote what it has not seen.
  return begun.strategy === strategy.kind
    ? undefined
    : `it was ${begun.strategy}, and the strategy is ${strategy.kind} now`
}
