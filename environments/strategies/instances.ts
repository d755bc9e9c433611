import { notReadyFault } from "../faults.js"
import { awaitReady, type NotReady } from "../readiness.js"
import type { Instance } from "../target.js"
import type { Rollout } from "./rollout.js"
import type { Strategy } from "./settings.js"

export const logLines = 2000

/** Starts instances of the release, outside of traffic. */
export async function startInstances(rollout: Rollout<Strategy>, count: number): Promise<readonly Instance[]> {
  const { target, release, signal, tell } = rollout
  signal.throwIfAborted()
  const started = await target.start(release, count, signal)
  tell(`started ${started.map((i) => i.name).join(", ")}`)
  return started
}

/**
 * Waits until instances are ready and have stayed so. They get no traffic by it.
 * @throws DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, with the last lines of the instance
 */
export async function awaitFit(rollout: Rollout<Strategy>, instances: readonly Instance[]): Promise<void> {
  const { target, release, strategy, signal, tell } = rollout
  for (const instance of instances) await target.probe(instance)
  const outcome = await awaitReady(target, instances, {
    timeoutSeconds: release.startupSeconds,
    prepareSeconds: strategy.progressDeadlineSeconds,
    stableSeconds: strategy.minReadySeconds,
    signal,
  })
  if ("failed" in outcome) throw await notReady(rollout, outcome.failed)
  for (const instance of instances) {
    tell(`${instance.name} ready after ${(outcome.ready.get(instance.id) ?? 0).toFixed(1)} s`)
  }
}

/** The fault of an instance that is not fit to serve; its whole log is kept. */
export async function notReady(rollout: Rollout<Strategy>, failure: NotReady) {
  const { target, release, tell, keepLog } = rollout
  const logs = failure.why === "gone" ? "" : await target.logs(failure.instance, logLines)
  await keepLog(`${failure.instance.name}.log`, logs)
  tell(`${failure.instance.name} is not fit to serve: ${failure.why}`)
  return notReadyFault(target, release, failure, logs)
}

/** Out of the balancer first, then SIGTERM, then a grace period. */
export async function retire(rollout: Rollout<Strategy>, instance: Instance): Promise<void> {
  const { target, strategy, signal, tell } = rollout
  await target.drain(instance, strategy.drainSeconds, signal)
  await target.stop(instance, strategy.graceSeconds)
  tell(`${instance.name} stopped`)
}

/** Removes what does not run any more. */
export async function removeDead(rollout: Rollout<Strategy>, dead: readonly Instance[]): Promise<void> {
  for (const instance of dead) {
    rollout.tell(`${instance.name} is dead (${exitText(instance)}): removed`)
    await rollout.target.stop(instance, 0)
  }
}

export function exitText(instance: Instance): string {
  if (instance.exit === undefined) return "never started"
  return instance.exit.outOfMemory ? "out of memory" : `exit code ${instance.exit.code}`
}
