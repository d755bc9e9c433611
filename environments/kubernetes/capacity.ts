/** Servers of one kind: how many, and what each has. */
export interface Servers {
  readonly servers: number
  readonly cores: number
  /** GiB */
  readonly memory: number
}

/**
 * Section 2.3 of the strategy document: "application servers" of each stage, and beside them those of databases, cache and
 * message queue.
 */
const stages: Readonly<Record<string, { readonly applications: Servers; readonly data: readonly Servers[] }>> = {
  dev: { applications: { servers: 2, cores: 8, memory: 16 }, data: [{ servers: 1, cores: 8, memory: 16 }] },
  test: {
    applications: { servers: 3, cores: 16, memory: 32 },
    data: [
      { servers: 2, cores: 16, memory: 32 },
      { servers: 2, cores: 8, memory: 16 },
    ],
  },
  uat: {
    applications: { servers: 3, cores: 16, memory: 32 },
    data: [
      { servers: 2, cores: 16, memory: 32 },
      { servers: 2, cores: 8, memory: 16 },
    ],
  },
  prod: {
    applications: { servers: 4, cores: 32, memory: 64 },
    data: [
      { servers: 3, cores: 32, memory: 128 },
      { servers: 5, cores: 16, memory: 32 },
    ],
  },
}

export interface Capacity {
  readonly stage: string
  /** All cores and memory (GiB): what a namespace may ask for. */
  readonly cores: number
  readonly memory: number
  /** The largest server: no container gets more. */
  readonly largest: { readonly cores: number; readonly memory: number }
  /** For people: "3 × 16 cores, 32 GiB". */
  readonly text: string
}

/**
 * What an environment may have, by the stage that its configuration profile names; another one is sized as TEST. Pure.
 * @param dependencies whether databases, cache and queue run in it as well
 */
export function capacityOf(profile: string, dependencies = false): Capacity {
  const stage = stages[profile] === undefined ? "test" : profile
  const { applications, data } = stages[stage] as (typeof stages)[string]
  const all = dependencies ? [applications, ...data] : [applications]
  return {
    stage,
    cores: all.reduce((sum, s) => sum + s.servers * s.cores, 0),
    memory: all.reduce((sum, s) => sum + s.servers * s.memory, 0),
    largest: { cores: Math.max(...all.map((s) => s.cores)), memory: Math.max(...all.map((s) => s.memory)) },
    text: all.map((s) => `${s.servers} × ${s.cores} cores, ${s.memory} GiB`).join(" + "),
  }
}
