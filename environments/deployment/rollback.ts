import { fault, isFault } from "../../core/errors.js"
import { alone } from "./alone.js"
import { returnTo } from "./back.js"
import type { Deployed, DeployOptions } from "./deployment.js"
import { withOutcome } from "../faults.js"
import { readHistory, recordRelease, type HistoryEntry } from "../history.js"
import type { MigrationEntry } from "../migrations/journal.js"
import { releaseKey, releaseName, type ReleaseSpec } from "../release.js"
import type { Rollout } from "../strategies/rollout.js"
import type { Strategy } from "../strategies/settings.js"
import { allow, readRollout, refuse, type Refusal } from "../strategies/state.js"
import { isServing } from "../strategies/moves.js"
import type { Instance, Target } from "../target.js"
import { replicasOn, runsAlone } from "./whole.js"

/** Which release a person goes back to, and why. */
export interface Rollback extends Omit<DeployOptions, "release" | "judge" | "approved"> {
  /** A kept release as `chooseRelease` found it. */
  readonly to: ReleaseSpec
  readonly by: string
  readonly reason: string
}

/**
 * Brings a release back that ran whole before: no build, no analysis, by digest, with the configuration it ran with. Where
 * it still runs (blue, or the release before a canary) it gets all the traffic at once; else all of its instances start
 * together. What it replaces is refused until a person says otherwise. Carried on by repeating it.
 * @throws ROLLBACK-UNWELL when it is not whole afterwards, DEPLOY-…, ENV-…
 */
export async function rollBack(options: Rollback): Promise<Deployed> {
  return alone(options, () => back(options))
}

async function back(options: Rollback): Promise<Deployed> {
  const { target, environment, to, by, reason, tell } = options
  const { replicas } = environment
  const history = await readHistory(target.notes)
  const from = history[0]?.release
  const done = { release: to, replicas, previous: from }
  if ((await readRollout(target.notes)) === undefined && (await runsAlone(target, releaseKey(to), replicas))) {
    tell(`${releaseName(to)} already runs there, whole: nothing to do`)
    await allow(target.notes, releaseKey(to))
    await recordRelease(target.notes, { release: to, replicas, at: new Date().toISOString() })
    return { ...done, unchanged: true }
  }
  const started = performance.now()
  // Whoever names a release that was taken back before says that it may be there.
  const lifted = await allow(target.notes, releaseKey(to))
  if (lifted !== undefined) tell(`it was taken back at ${lifted.at} (${lifted.why}); ${by} wants it all the same`)
  const bad = (await readRollout(target.notes))?.to ?? from
  const why = `rolled back by ${by}: ${reason}`
  if (bad !== undefined && releaseKey(bad) !== releaseKey(to)) await refuse(target.notes, bad, why)
  const wanted = await replicasOn(target, replicas)
  const rollout: Rollout<Strategy> = {
    ...options,
    release: bad ?? to,
    replicas: wanted,
    strategy: environment.strategy,
  }
  try {
    await returnTo(rollout, to, why, { swift: true })
  } catch (error) {
    throw isFault(error) ? withOutcome(error, await whatServes(target)) : error
  }
  if (!(await runsAlone(target, releaseKey(to), replicas))) throw unwell(options, await target.describe())
  await recordRelease(target.notes, { release: to, replicas, at: new Date().toISOString() })
  tell(`${releaseName(to)} serves, ${wanted} of ${wanted} healthy, after ${since(started)} s`)
  return { ...done, unchanged: false }
}

/** For whoever reads at night that a rollback failed: what users have meanwhile. */
async function whatServes(target: Target): Promise<string> {
  const serving = (await target.describe()).filter(isServing)
  const names = new Set(serving.map((i) => releaseName(i.release)))
  return serving.length === 0
    ? "The rollback did not take place, and nothing serves."
    : `The rollback did not take place. ${[...names].join(" and ")} serves, on ${serving.map((i) => i.name).join(", ")}.`
}

const since = (started: number) => ((performance.now() - started) / 1000).toFixed(1)

/**
 * The release that a rollback goes to: the newest that ran whole before, is not the one that runs now and was not taken
 * back; or the one that is named. While a release is on its way there, that one is left: the one before it is still the
 * newest that ran whole. Pure.
 * @param wanted a digest, a commit, or the beginning of either (at least six characters); or a generation (`3`)
 * @param unfinished releaseKey of what is on its way there
 * @throws ROLLBACK-NOTHING, ROLLBACK-UNKNOWN with what there is
 */
export function chooseRelease(
  where: { readonly service: string; readonly environment: string },
  history: readonly HistoryEntry[],
  refusals: readonly Refusal[],
  wanted?: string,
  unfinished?: string,
): HistoryEntry {
  const leaves = unfinished ?? (history[0] && releaseKey(history[0].release))
  const others = history.filter((e) => releaseKey(e.release) !== leaves)
  if (wanted === undefined) {
    const refused = new Set(refusals.map((r) => r.key))
    const found = others.find((e) => !refused.has(releaseKey(e.release)))
    if (found !== undefined) return found
    throw fault({
      code: "ROLLBACK-NOTHING",
      kind: "usage",
      message: `There is nothing to go back to: ${where.service} in ${where.environment} has no good release before`,
      reason: listOf(history, refusals) || "Nothing ran there whole.",
      hint: "Name one with --to, or deliver an earlier commit: gantry run delivery --commit <revision>.",
    })
  }
  const found = history.filter((e) => isNamed(e, wanted))
  const distinct = new Set(found.map((e) => releaseKey(e.release)))
  if (found[0] !== undefined && distinct.size === 1) return found[0]
  throw fault({
    code: "ROLLBACK-UNKNOWN",
    kind: "usage",
    message: `${distinct.size > 1 ? "Several kept releases are" : "No kept release is"} "${wanted}"`,
    reason: listOf(history, refusals) || `Nothing of ${where.service} ran in ${where.environment}.`,
    hint: "--to takes a generation, or the beginning of a digest or a commit.",
  })
}

/** A migration that closes the way back to a release: it ran after that one had been rolled out. Pure. */
export function migratedSince(migrations: readonly MigrationEntry[], at: string): MigrationEntry | undefined {
  return migrations.find((m) => !m.compatible && m.status !== "failed" && m.startedAt > at)
}

function isNamed({ release, generation }: HistoryEntry, wanted: string): boolean {
  if (/^\d{1,5}$/.test(wanted)) return generation === Number(wanted)
  if (wanted.replace(/^sha256:/, "").length < 6) return false
  return [release.digest, release.digest.replace(/^sha256:/, ""), release.commit].some((name) =>
    name.startsWith(wanted),
  )
}

const listOf = (history: readonly HistoryEntry[], refusals: readonly Refusal[]) =>
  history
    .map((e, i) => {
      const key = releaseKey(e.release)
      const refusal = refusals.find((r) => r.key === key)
      const notes = [i === 0 ? "; it ran whole last" : "", refusal === undefined ? "" : `; taken back: ${refusal.why}`]
      return `${e.generation}: ${releaseName(e.release)}, commit ${e.release.commit.slice(0, 12)}, ${e.at}${notes.join("")}`
    })
    .join("\n")

function unwell({ target, to }: Rollback, instances: readonly Instance[]) {
  return fault({
    code: "ROLLBACK-UNWELL",
    kind: "errored",
    message: `${target.service} in ${target.environment} is not whole after the rollback to ${releaseName(to)}`,
    reason: instances
      .map((i) => `${i.name}: ${i.healthy ? "healthy" : (i.check ?? i.state)}, weight ${i.weight}`)
      .join("; "),
    hint: "Run the same command again: it goes on from what runs.",
  })
}
