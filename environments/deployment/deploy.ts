import { fault, isFault, type Fault } from "../../core/errors.js"
import { alone } from "./alone.js"
import { goBack } from "./back.js"
import { bring, finishOther } from "./bring.js"
import type { Deployed, DeployOptions } from "./deployment.js"
import { readHistory, recordRelease } from "../history.js"
import { dropRollbackOrder, readRollbackOrder } from "./orders.js"
import { checkRefusal, takesPerson } from "./refusals.js"
import { releaseKey, releaseName, type ReleaseSpec } from "../release.js"
import { isServing } from "../strategies/moves.js"
import type { Rollout } from "../strategies/rollout.js"
import type { Strategy } from "../strategies/settings.js"
import { readKept, readRefusals, readRollout, refuse } from "../strategies/state.js"
import type { Notes } from "../memory.js"
import type { Instance } from "../target.js"
import { replicasOn, runsAlone } from "./whole.js"

/**
 * Brings a service of an environment to a release by the environment's strategy, and back to the one before when that
 * fails. One deployment of a service at a time; another one waits. A process that was killed is carried on by the next
 * deployment, of whichever release.
 * @throws DEPLOY-LOCKED, DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, DEPLOY-STUCK, DEPLOY-DIGEST, ROLLOUT-… and those
 *   of the environment's parts (ENV-…); the reason says what became of the release before
 */
export async function deployRelease(options: DeployOptions): Promise<Deployed> {
  return alone(options, () => deploy(options))
}

async function deploy(options: DeployOptions): Promise<Deployed> {
  const { target, environment, release, signal, tell } = options
  const replicas = await replicasOn(target, environment.replicas)
  const key = releaseKey(release)
  const began = new Date().toISOString()
  const rollout: Rollout<Strategy> = { ...options, replicas, strategy: environment.strategy }
  await finishOther(rollout, key)
  await checkRefusal(options, key)
  signal.throwIfAborted()
  await target.prepare(release, signal)

  const instances = await target.describe()
  const history = await readHistory(target.notes)
  const begun = await readRollout(target.notes)
  const refused = new Set((await readRefusals(target.notes)).map((r) => r.key))
  const stable = begun?.from ?? stableRelease(instances, history[0]?.release, key, refused)
  if (begun === undefined && (await runsAlone(target, key, environment.replicas))) {
    tell(`${releaseName(release)} already runs there, ${replicas} of ${replicas} ready: nothing to do`)
    return deployed(options, true)
  }
  const expected = [key, stable && releaseKey(stable), (await readKept(target.notes))?.key]
  const leftovers = instances.filter((i) => !expected.includes(i.key))
  if (leftovers.length > 0) tell(`an interrupted deployment left ${leftovers.map((i) => i.name).join(", ")}`)

  try {
    await bring(options, rollout, instances, stable, begun)
  } catch (error) {
    // It waits for a person: what runs stays as it is.
    if (isFault(error) && error.kind === "waiting") throw error
    const failure = toFault(rollout, error)
    if (failure.kind === "failed" && takesPerson(environment)) await refuse(target.notes, release, failure.message)
    throw await goBack(rollout, stable, failure)
  }
  await overtake(target.notes, began)
  return deployed(options, false)
}

/** A rollback that was ordered before this deployment and has not ended: whoever resumes its run now would take this one back. */
async function overtake(notes: Notes, began: string): Promise<void> {
  const order = await readRollbackOrder(notes)
  if (order !== undefined && Date.parse(order.at) < Date.parse(began)) await dropRollbackOrder(notes)
}

/**
 * What to go back to, and to compare with: the release that last ran whole, as long as any of it serves and nobody took it
 * back; else the one that has the traffic now. A rollback that was killed before it was written down is such a case.
 */
export function stableRelease(
  instances: readonly Instance[],
  last: ReleaseSpec | undefined,
  key: string,
  refused: ReadonlySet<string>,
): ReleaseSpec | undefined {
  const others = instances.filter((i) => i.key !== key && isServing(i))
  const good = others.filter((i) => !refused.has(i.key))
  const lastKey = last && releaseKey(last)
  const is = (i: Instance) => i.key === lastKey
  if (last !== undefined && lastKey !== key && (good.some(is) || others.every(is))) return last
  return (good[0] ?? others[0])?.release ?? last
}

async function deployed({ target, environment, release }: DeployOptions, unchanged: boolean): Promise<Deployed> {
  const { replicas } = environment
  const entry = { release, replicas, at: new Date().toISOString() }
  const recorded = await recordRelease(target.notes, entry)
  const previous = (await readHistory(target.notes))[1]?.release
  return { unchanged, replicas, release: unchanged ? recorded.release : release, previous }
}

function toFault({ target, signal }: Rollout<Strategy>, cause: unknown): Fault {
  if (isFault(cause)) return cause
  const where = `${target.service} in ${target.environment}`
  if (signal.aborted) {
    return fault({
      code: "DEPLOY-CANCELLED",
      kind: "cancelled",
      message: `The deployment of ${where} was cancelled`,
      cause,
    })
  }
  return fault({
    code: "DEPLOY-ERRORED",
    kind: "errored",
    message: `The deployment of ${where} broke off`,
    reason: cause instanceof Error ? cause.message : String(cause),
    hint: "Run the same command again: it goes on from what runs.",
    cause,
  })
}
