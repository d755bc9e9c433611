import { join } from "node:path"
import { fault, isFault, type Fault } from "../core/errors.js"
import { lockHint, lockOwner, withLock } from "../core/lock.js"
import type { Environment } from "./environment.js"
import { withOutcome } from "./faults.js"
import { readHistory, recordRelease } from "./history.js"
import { serviceFolder, type Place } from "./places.js"
import { releaseKey, releaseName, type ReleaseSpec } from "./release.js"
import { isServing } from "./strategies/moves.js"
import { roll, type Rollout } from "./strategies/rolling.js"
import { plainly } from "./strategies/settings.js"
import type { Instance, Target } from "./target.js"

export interface DeployOptions {
  readonly target: Target
  readonly place: Place
  readonly environment: Environment
  readonly release: ReleaseSpec
  readonly signal: AbortSignal
  tell(line: string): void
  keepLog(name: string, text: string): Promise<void>
}

export interface Deployed {
  readonly unchanged: boolean
  readonly replicas: number
  readonly release: ReleaseSpec
  /** What ran before, to which a rollback would go. */
  readonly previous: ReleaseSpec | undefined
}

/** How long the way back may take: nobody waits for it any more, so it must end. */
const goBackSeconds = 300

/**
 * Brings a service of an environment to a release, and back to the one before when that fails. One deployment of a service
 * at a time; another one waits. A process that was killed is carried on by the next deployment, of whichever release.
 * @throws DEPLOY-LOCKED, DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, DEPLOY-STUCK, DEPLOY-DIGEST and those of the
 *   environment's parts (ENV-…); the reason says what became of the release before
 */
export async function deployRelease(options: DeployOptions): Promise<Deployed> {
  return alone(options, () => deploy(options))
}

async function deploy(options: DeployOptions): Promise<Deployed> {
  const { target, place, environment, release, signal, tell } = options
  const { replicas } = environment
  const key = releaseKey(release)
  await target.prepare(release, signal)

  const instances = await target.describe()
  const history = await readHistory(place, target.service)
  const stable = stableRelease(instances, history[0]?.release, key)
  if (runsWhole(instances, key, replicas)) {
    tell(`${releaseName(release)} already runs there, ${replicas} of ${replicas} ready: nothing to do`)
    const recorded = await recordRelease(place, target.service, { release, replicas, at: new Date().toISOString() })
    return { unchanged: true, replicas, release: recorded.release, previous: await previousOf(place, target.service) }
  }
  const leftovers = instances.filter((i) => i.key !== key && i.key !== (stable && releaseKey(stable)))
  if (leftovers.length > 0) tell(`an interrupted deployment left ${leftovers.map((i) => i.name).join(", ")}`)

  const rollout: Rollout = { ...options, replicas, strategy: plainly(environment.strategy, replicas) }
  try {
    await roll(rollout)
  } catch (error) {
    throw await goBack(rollout, stable, error)
  }
  await recordRelease(place, target.service, { release, replicas, at: new Date().toISOString() })
  return { unchanged: false, replicas, release, previous: await previousOf(place, target.service) }
}

/** Whether exactly this release runs, whole and healthy. */
export function runsWhole(instances: readonly Instance[], key: string, replicas: number): boolean {
  return instances.length === replicas && instances.every((i) => i.key === key && isServing(i))
}

/** What to go back to: the release that last ran whole, else the one that has the traffic now. */
function stableRelease(
  instances: readonly Instance[],
  last: ReleaseSpec | undefined,
  key: string,
): ReleaseSpec | undefined {
  if (last !== undefined && releaseKey(last) !== key) return last
  return instances.find((i) => i.key !== key && isServing(i))?.release ?? last
}

async function previousOf(place: Place, service: string): Promise<ReleaseSpec | undefined> {
  return (await readHistory(place, service))[1]?.release
}

/** Puts the release before back, whatever went wrong, and says in the fault how that ended. */
async function goBack(rollout: Rollout, stable: ReleaseSpec | undefined, cause: unknown): Promise<unknown> {
  const { target, release, tell } = rollout
  const failure = toFault(rollout, cause)
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
    await target.prepare(stable, signal)
    await roll({ ...rollout, release: stable, signal })
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
      cause,
    })
  }
}

async function removeAll(target: Target): Promise<void> {
  for (const instance of await target.describe()) await target.stop(instance, 5)
}

function toFault({ target, signal }: Rollout, cause: unknown): Fault {
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

/** One deployment at a time. Another one is waited for, but not for ever. */
async function alone<T>(options: DeployOptions, work: () => Promise<T>): Promise<T> {
  const { target, place, environment, signal, tell } = options
  const what = `deploy ${target.service} to ${target.environment}`
  const file = join(serviceFolder(place, target.service), "deploy.lock")
  const patience = new AbortController()
  const giveUp = () => patience.abort()
  const timer = setTimeout(giveUp, environment.strategy.progressDeadlineSeconds * 2 * 1000)
  signal.addEventListener("abort", giveUp, { once: true })
  let entered = false
  const enter = () => {
    entered = true
    clearTimeout(timer)
    return work()
  }
  try {
    return await withLock(file, what, enter, {
      signal: patience.signal,
      onWait: (owner) => tell(`waits for another deployment of it: process ${owner.pid} on ${owner.host}`),
    })
  } catch (error) {
    if (entered || signal.aborted || !patience.signal.aborted) throw error
    const owner = await lockOwner(file)
    throw fault({
      code: "DEPLOY-LOCKED",
      kind: "errored",
      message: `Another deployment of ${target.service} to ${target.environment} does not end`,
      reason: owner === undefined ? undefined : `Process ${owner.pid} on ${owner.host} holds it: ${owner.what}.`,
      hint: lockHint(file, owner),
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", giveUp)
  }
}
