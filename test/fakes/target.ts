import { releaseKey, type ReleaseSpec } from "../../environments/release.js"
import type { Instance, Target } from "../../environments/target.js"
import type { Json } from "../../core/json.js"
import type { Locks } from "../../environments/memory.js"

type Mutable = { -readonly [K in keyof Instance]: Instance[K] }

/** A place to run releases that lives in memory: what a strategy does to it can be looked at after each move. */
export interface FakeTarget {
  readonly target: Target
  /** What runs, as it is now. */
  readonly instances: Mutable[]
  /** All that was ordered, e.g. "start 2 new", "weights 1:100 2:0". */
  readonly moves: string[]
  readonly notes: Map<string, Json>
  /** The process dies before its n-th order from now (1 is the next): that one and all that follow do nothing. */
  dieAt(order: number): void
  /** Another process takes over. @returns whether the one before had died */
  takeOver(): boolean
  /** How an instance of a release behaves. Default: ready at once. */
  behave(key: string, behaviour: "ready" | "never-ready" | "dies"): void
  /** Instances that answer on the preview address. */
  preview: readonly string[]
}

const noTasks = () => Promise.reject(new Error("no tasks here: migrations have tests of their own"))

/** Nobody else is there. */
export const freeLocks: Locks = {
  hold: (_name, _what, work) => work(),
  holder: () => Promise.resolve(undefined),
  break: () => Promise.resolve(),
  hint: () => "",
}

export class Killed extends Error {}

/** @param names names of releases by key, for `moves` */
export function fakeTarget(names: Readonly<Record<string, string>>, onMove: () => void = () => undefined): FakeTarget {
  const instances: Mutable[] = []
  const moves: string[] = []
  const notes = new Map<string, Json>()
  const behaviours = new Map<string, string>()
  let next = 1
  let left = Infinity
  let dead = false
  const order = (text: string) => {
    if (--left <= 0) dead = true
    if (dead) throw new Killed("killed")
    moves.push(text)
  }
  const alive = () => {
    if (dead) throw new Killed("killed")
  }
  const find = (id: string) => instances.find((i) => i.id === id)
  const name = (key: string) => names[key] ?? key
  const done = <T>(value: T): Promise<T> => {
    onMove()
    return Promise.resolve(value)
  }
  const freeSlot = () => {
    for (let slot = 1; ; slot++) if (!instances.some((i) => i.slot === slot)) return slot
  }

  const target: Target = {
    environment: "prod",
    service: "web",
    url: "http://127.0.0.1:1",
    previewUrl: "http://127.0.0.1:2",
    locks: freeLocks,
    notes: {
      where: (key) => `memory: ${key}`,
      read: (key) => {
        alive()
        return Promise.resolve(structuredClone(notes.get(key)))
      },
      write: (key, value) => {
        order(`note ${key}`)
        if (value === undefined) notes.delete(key)
        else notes.set(key, JSON.parse(JSON.stringify(value)) as Json)
        return done(undefined)
      },
    },
    prepare: () => {
      alive()
      return Promise.resolve()
    },
    describe: () => {
      alive()
      return Promise.resolve(instances.map((i) => ({ ...i })).sort((a, b) => a.slot - b.slot))
    },
    start: (release: ReleaseSpec, count) => {
      const key = releaseKey(release)
      order(`start ${count} ${name(key)}`)
      const behaviour = behaviours.get(key) ?? "ready"
      const started: Mutable[] = []
      for (let i = 0; i < count; i++) {
        const slot = freeSlot()
        const instance: Mutable = {
          id: `id-${next++}`,
          name: `web-${slot}`,
          slot,
          key,
          release,
          state: behaviour === "dies" ? "dead" : "running",
          weight: 0,
          healthy: behaviour === "ready",
          restarts: 0,
          ...(behaviour === "dies" ? { exit: { code: 7, outOfMemory: false } } : {}),
        }
        instances.push(instance)
        started.push(instance)
      }
      return done(started.map((i) => ({ ...i })))
    },
    probe: () => Promise.resolve(),
    setWeights: (weights) => {
      const text = [...weights].map(([i, w]) => `${name(i.key)}-${i.slot}:${w}`).join(" ")
      order(`weights ${text}`)
      for (const [i, weight] of weights) {
        const found = find(i.id)
        if (found !== undefined) found.weight = weight
      }
      return done(undefined)
    },
    setPreview: (shown) => {
      order(`preview ${shown.map((i) => `${name(i.key)}-${i.slot}`).join(" ") || "nothing"}`)
      fake.preview = shown.map((i) => i.name)
      return done(undefined)
    },
    drain: (instance) => {
      order(`drain ${name(instance.key)}-${instance.slot}`)
      const found = find(instance.id)
      if (found !== undefined) found.weight = 0
      return done(undefined)
    },
    stop: (instance) => {
      order(`stop ${name(instance.key)}-${instance.slot}`)
      const at = instances.findIndex((i) => i.id === instance.id)
      if (at >= 0) instances.splice(at, 1)
      return done(undefined)
    },
    findTask: noTasks,
    runOnce: noTasks,
    awaitTask: noTasks,
    removeTask: noTasks,
    dataSince: noTasks,
    metrics: () => Promise.reject(new Error("nobody measures here: a test says what the verdict is")),
    logs: () => Promise.resolve("the last words\n"),
  }
  const fake: FakeTarget = {
    target,
    instances,
    moves,
    notes,
    preview: [],
    dieAt: (count) => {
      left = count
    },
    takeOver: () => {
      const died = dead
      dead = false
      left = Infinity
      return died
    },
    behave: (key, behaviour) => void behaviours.set(key, behaviour),
  }
  return fake
}
