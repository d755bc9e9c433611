import { setTimeout as sleep } from "node:timers/promises"
import { notReadyFault, stuckFault } from "../faults.js"
import { awaitReady, type NotReady } from "../readiness.js"
import { releaseKey, type ReleaseSpec } from "../release.js"
import { fullWeight, type Instance, type Target } from "../target.js"
import { isServing, nextMove, type Move } from "./moves.js"
import type { RollingStrategy } from "./settings.js"

export interface Rollout {
  readonly target: Target
  readonly release: ReleaseSpec
  readonly replicas: number
  readonly strategy: RollingStrategy
  readonly signal: AbortSignal
  /** A line for people: which instance, what happened to it. */
  tell(line: string): void
  /** Keeps the whole log of an instance that failed. */
  keepLog(name: string, text: string): Promise<void>
}

const logLines = 2000

/**
 * Rolls a service to a release (section 3.3.1): start new instances, wait until they are ready, move the traffic, stop old
 * ones; a few at a time, so that capacity never falls below replicas - maxUnavailable. Looks at the target before each
 * move and keeps nothing in memory that matters, so it also finishes what a killed process began.
 * @throws DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, DEPLOY-STUCK; the target is then as it was left: see goBack
 */
export async function roll(rollout: Rollout): Promise<void> {
  const { target, release, replicas, strategy, signal } = rollout
  const wanted = { key: releaseKey(release), replicas, ...strategy }
  const retiring = new Map<string, Promise<void>>()
  let lastProgress = performance.now()
  try {
    for (;;) {
      signal.throwIfAborted()
      const instances = (await target.describe()).filter((i) => !retiring.has(i.id))
      const move = nextMove(instances, wanted)
      if (move.kind === "done") break
      if (move.kind === "wait") {
        if (performance.now() - lastProgress > strategy.progressDeadlineSeconds * 1000) {
          throw await stuck(rollout, instances)
        }
        await sleep(100, undefined, { signal })
        continue
      }
      await act(rollout, move, instances, retiring)
      lastProgress = performance.now()
    }
  } finally {
    // Those that left the balancer end by themselves; nobody is done before they are gone.
    await Promise.allSettled(retiring.values())
  }
  await Promise.all(retiring.values())
}

async function act(
  rollout: Rollout,
  move: Exclude<Move, { kind: "done" | "wait" }>,
  instances: readonly Instance[],
  retiring: Map<string, Promise<void>>,
): Promise<void> {
  const { target, release, signal, tell } = rollout
  switch (move.kind) {
    case "remove":
      for (const instance of move.instances) {
        tell(`${instance.name} is dead (${exitText(instance)}): removed`)
        await target.stop(instance, 0)
      }
      return
    case "start": {
      const started = await target.start(release, move.count, signal)
      tell(`started ${started.map((i) => i.name).join(", ")}`)
      return
    }
    case "admit":
      return admit(rollout, move.instances)
    case "retire": {
      const { instance } = move
      const left = instances.filter((i) => isServing(i) && i.id !== instance.id).length
      tell(`${instance.name} leaves the balancer; ${left} of ${rollout.replicas} serve`)
      // Out of the balancer before anything else starts; its end may take a while and nobody waits for it meanwhile.
      const end = retire(rollout, instance)
      end.catch(() => undefined) // Looked at when all are awaited; until then it must not count as unhandled.
      retiring.set(instance.id, end)
      return
    }
    default:
      return move satisfies never
  }
}

/** Gives new instances traffic as soon as they are ready and have stayed so. */
async function admit(rollout: Rollout, instances: readonly Instance[]): Promise<void> {
  const { target, release, strategy, signal, tell } = rollout
  for (const instance of instances) await target.probe(instance)
  const outcome = await awaitReady(target, instances, {
    timeoutSeconds: release.startupSeconds,
    stableSeconds: strategy.minReadySeconds,
    signal,
  })
  if ("failed" in outcome) throw await notReady(rollout, outcome.failed)
  for (const instance of instances) {
    tell(`${instance.name} ready after ${(outcome.ready.get(instance.id) ?? 0).toFixed(1)} s`)
  }
  await target.setWeights(new Map(instances.map((i) => [i, fullWeight])))
  tell(`${instances.map((i) => i.name).join(", ")} ${instances.length === 1 ? "gets" : "get"} traffic`)
}

/** Out of the balancer first, then SIGTERM, then a grace period. */
async function retire(rollout: Rollout, instance: Instance): Promise<void> {
  const { target, strategy, signal, tell } = rollout
  await target.drain(instance, strategy.drainSeconds, signal)
  await target.stop(instance, strategy.graceSeconds)
  tell(`${instance.name} stopped`)
}

async function notReady(rollout: Rollout, failure: NotReady) {
  const { target, release, tell, keepLog } = rollout
  const logs = failure.why === "gone" ? "" : await target.logs(failure.instance, logLines)
  await keepLog(`${failure.instance.name}.log`, logs)
  tell(`${failure.instance.name} is not fit to serve: ${failure.why}`)
  return notReadyFault(target, release, failure, logs)
}

async function stuck(rollout: Rollout, instances: readonly Instance[]) {
  const { target, strategy, keepLog } = rollout
  let last = ""
  for (const instance of instances.filter((i) => !i.healthy)) {
    last = await target.logs(instance, logLines)
    await keepLog(`${instance.name}.log`, last)
  }
  return stuckFault(target, strategy.progressDeadlineSeconds, instances, last)
}

function exitText(instance: Instance): string {
  if (instance.exit === undefined) return "never started"
  return instance.exit.outOfMemory ? "out of memory" : `exit code ${instance.exit.code}`
}
