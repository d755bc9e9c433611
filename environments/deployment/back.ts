import { fault, isFault, type Fault } from "../../core/errors.js"
import { withOutcome } from "../faults.js"
import { releaseKey, releaseName, type ReleaseSpec } from "../release.js"
import { roll } from "../strategies/rolling.js"
import type { Rollout } from "../strategies/rollout.js"
import { plainly, swiftly, type Strategy } from "../strategies/settings.js"
import { journalOf, readKept, readRollout, writeKept } from "../strategies/state.js"
import { fullWeight, type Instance, type Target } from "../target.js"

/** How long the way back may take: nobody waits for it any more, so it must end. */
const goBackSeconds = 300

/**
 * Puts the release before back, whatever went wrong.
 * @returns the fault to throw: the failure together with how the way back ended
 */
export async function goBack(
  rollout: Rollout<Strategy>,
  stable: ReleaseSpec | undefined,
  failure: Fault,
): Promise<Fault> {
  const { target, release, tell } = rollout
  const signal = AbortSignal.timeout(goBackSeconds * 1000)
  try {
    if (stable === undefined) {
      tell("nothing ran there before: what was started is removed")
      await removeAll(target)
      return withOutcome(failure, "Nothing ran there before; nothing runs there now.")
    }
    if (releaseKey(stable) === releaseKey(release)) {
      return withOutcome(failure, `It is the release that ran there before: what is left of it goes on.`)
    }
    tell(`going back to ${releaseName(stable)}`)
    const started = performance.now()
    await returnTo({ ...rollout, signal }, stable, failure.message)
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    tell(`${releaseName(stable)} is back, after ${seconds} s`)
    return withOutcome(failure, `The release before, ${releaseName(stable)}, serves again, whole, after ${seconds} s.`)
  } catch (error) {
    return fault({
      code: "DEPLOY-STRANDED",
      kind: "errored",
      message: `${target.service} in ${target.environment} is between two releases: ${failure.message}`,
      reason: `${failure.code}: ${failure.reason ?? ""}\nThe way back failed, too: ${(error as Error).message} ${
        isFault(error) ? (error.reason ?? "") : ""
      }`,
      hint: "Correct the cause and deploy again, the same release or any other: the deployment goes on from what runs.",
      cause: failure,
    })
  }
}

/**
 * All traffic to the release before at once where it still runs, then only it is left, whole. Ends a rollout that had begun.
 * A process that is killed on the way leaves "going back" in the journal: the next one finishes it.
 */
export async function returnTo(
  rollout: Rollout<Strategy>,
  stable: ReleaseSpec,
  why: string,
  way: { readonly swift: boolean } = { swift: rollout.strategy.kind !== "rolling" },
): Promise<void> {
  const { target, replicas, strategy, observe } = rollout
  const begun = await readRollout(target.notes)
  const journal = begun === undefined ? undefined : journalOf(target, begun)
  await journal?.write({ phase: "going-back", why })
  if (journal !== undefined || way.swift) {
    const left = begun !== undefined && releaseKey(begun.to) !== releaseKey(stable)
    const took = await takeTraffic(rollout, stable, left)
    // Further back than the release before: that one is better than the one that is left, as long as the other starts.
    if (!took && left && releaseKey(begun.from) !== releaseKey(stable)) await takeTraffic(rollout, begun.from, left)
    observe?.({ at: new Date().toISOString(), percent: 0, text: `goes back: ${why}` })
  }
  await target.prepare(stable, rollout.signal)
  const pace = journal === undefined && !way.swift ? plainly(strategy, replicas) : swiftly(strategy, replicas)
  await roll({ ...rollout, release: stable, strategy: pace })
  // Only this release is left: blue, too, is gone or has the traffic.
  if ((await readKept(target.notes)) !== undefined) await writeKept(target.notes, undefined)
  await journal?.end()
}

/**
 * Users see the release before again, in one step, where enough of it runs to take them. The preview shows nothing any more.
 */
async function takeTraffic(
  { target, replicas, tell }: Rollout<Strategy>,
  stable: ReleaseSpec,
  left: boolean,
): Promise<boolean> {
  const instances = (await target.describe()).filter((i) => i.state === "running")
  const able = instances.filter((i) => i.key === releaseKey(stable) && i.healthy)
  const takes = canTakeAll(able, instances, { replicas, left })
  if (takes) {
    const started = performance.now()
    await target.setWeights(new Map(instances.map((i) => [i, able.includes(i) ? fullWeight : 0])))
    const seconds = ((performance.now() - started) / 1000).toFixed(2)
    tell(`${releaseName(stable)} has all the traffic, on ${able.length} of ${replicas} instances; it took ${seconds} s`)
  }
  if (instances.length > 0) await target.setPreview([])
  return takes
}

/**
 * Whether so many instances can take all the traffic at once: all that there shall be; or half of them, to leave a release
 * that is not wanted; or fewer, when most of the traffic is theirs already. One alone that took it all would fall, too. Pure.
 */
export function canTakeAll(
  able: readonly Instance[],
  all: readonly Instance[],
  { replicas, left }: { readonly replicas: number; readonly left: boolean },
): boolean {
  if (able.length === 0) return false
  const weight = (some: readonly Instance[]) => some.reduce((sum, i) => sum + i.weight, 0)
  return able.length >= replicas || (left && (able.length * 2 >= replicas || weight(able) * 2 >= weight(all)))
}

async function removeAll(target: Target): Promise<void> {
  for (const instance of await target.describe()) await target.stop(instance, 5)
}
