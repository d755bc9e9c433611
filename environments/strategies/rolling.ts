import { setTimeout as sleep } from "node:timers/promises"
import { stuckFault } from "../faults.js"
import { died } from "../readiness.js"
import { releaseKey } from "../release.js"
import { fullWeight, type Instance } from "../target.js"
import { awaitFit, logLines, notReady, removeDead, retire, startInstances } from "./instances.js"
import { isServing, nextMove, type Move } from "./moves.js"
import type { Rollout } from "./rollout.js"

/**
 * Rolls a service to a release (section 3.3.1): start new instances, wait until they are ready, move the traffic, stop old
 * ones; a few at a time, so that capacity never falls below replicas - maxUnavailable. Looks at the target before each
 * move and keeps nothing in memory that matters, so it also finishes what a killed process began.
 * @throws DEPLOY-NOT-READY, DEPLOY-DIED, DEPLOY-OUT-OF-MEMORY, DEPLOY-STUCK; the target is then as it was left: see goBack
 */
export async function roll(rollout: Rollout): Promise<void> {
  const { target, release, replicas, strategy, signal } = rollout
  signal.throwIfAborted()
  if (target.roll !== undefined) return target.roll(rollout)
  const wanted = { key: releaseKey(release), replicas, ...strategy }
  const retiring = new Map<string, Promise<void>>()
  const started = new Set<string>()
  let lastProgress = performance.now()
  try {
    for (;;) {
      signal.throwIfAborted()
      const instances = (await target.describe()).filter((i) => !retiring.has(i.id))
      const move = nextMove(instances, wanted)
      if (move.kind === "done") {
        // Weights that a canary left: with them one instance would carry many times what another does.
        const uneven = instances.filter((i) => i.weight !== fullWeight)
        if (uneven.length > 0) await target.setWeights(new Map(instances.map((i) => [i, fullWeight])))
        break
      }
      if (move.kind === "wait") {
        if (performance.now() - lastProgress > strategy.progressDeadlineSeconds * 1000) {
          throw await stuck(rollout, instances)
        }
        await sleep(100, undefined, { signal })
        continue
      }
      // One of its own that is dead so early would be dead the next time, too: that is no progress, for ever.
      const dead = move.kind === "remove" ? move.instances.find((i) => started.has(i.id) && i.weight === 0) : undefined
      if (dead !== undefined) throw await notReady(rollout, died(dead, 0))
      if (move.kind === "start") {
        for (const { id } of await startInstances(rollout, move.count)) started.add(id)
      } else await act(rollout, move, instances, retiring)
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
  move: Exclude<Move, { kind: "done" | "wait" | "start" }>,
  instances: readonly Instance[],
  retiring: Map<string, Promise<void>>,
): Promise<void> {
  const { tell } = rollout
  switch (move.kind) {
    case "remove":
      return removeDead(rollout, move.instances)
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
  await awaitFit(rollout, instances)
  await rollout.target.setWeights(new Map(instances.map((i) => [i, fullWeight])))
  const names = instances.map((i) => i.name).join(", ")
  rollout.tell(`${names} ${instances.length === 1 ? "gets" : "get"} traffic`)
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
