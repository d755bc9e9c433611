import { releaseKey } from "../release.js"
import type { Instance } from "../target.js"
import type { JudgedRollout } from "./rollout.js"
import type { JudgedStrategy } from "./settings.js"
import { shares } from "./shares.js"

/** The instances of the two releases, and those of neither. */
export interface Sides {
  readonly fresh: readonly Instance[]
  readonly stable: readonly Instance[]
  readonly others: readonly Instance[]
}

export function sidesOf(instances: readonly Instance[], fresh: string, stable: string): Sides {
  return {
    fresh: instances.filter((i) => i.key === fresh),
    stable: instances.filter((i) => i.key === stable && i.key !== fresh),
    others: instances.filter((i) => i.key !== fresh && i.key !== stable),
  }
}

export async function look(rollout: JudgedRollout<JudgedStrategy>): Promise<Sides> {
  const { target, release, stable } = rollout
  return sidesOf(await target.describe(), releaseKey(release), releaseKey(stable))
}

/** Which weights would have to change for the new release to have its share. Pure. */
export function weightsFor(sides: Sides, percent: number): ReadonlyMap<Instance, number> {
  const able = (i: Instance) => i.state === "running" && (i.weight > 0 || i.healthy)
  const fresh = sides.fresh.filter(able)
  const stable = sides.stable.filter(able)
  const { canary, stable: rest } = shares(percent, fresh.length, stable.length)
  const changes = new Map<Instance, number>()
  for (const i of fresh) if (i.weight !== canary) changes.set(i, canary)
  for (const i of stable) if (i.weight !== rest) changes.set(i, rest)
  for (const i of sides.others) if (i.weight > 0) changes.set(i, 0)
  return changes
}

/** Gives the new release its share, all in one go. Harmless when it has it. @returns whether anything changed */
export async function shift(rollout: JudgedRollout<JudgedStrategy>, percent: number): Promise<boolean> {
  const { target, journal, observe } = rollout
  const changes = weightsFor(await look(rollout), percent)
  if (journal.state.percent !== percent) await journal.write({ percent })
  if (changes.size === 0) return false
  await target.setWeights(changes)
  observe?.({ at: new Date().toISOString(), percent })
  return true
}
