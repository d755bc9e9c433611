import { randomBytes } from "node:crypto"
import { z } from "zod"
import { releaseKey, ReleaseSpec } from "../release.js"
import type { Notes } from "../memory.js"
import type { Target } from "../target.js"

/** A judged rollout that has begun: what a process needs to carry it on. Kept with the instances. */
export const RolloutState = z.object({
  schema: z.literal(1),
  /** Tells this rollout from one of the same release before. */
  id: z.string(),
  strategy: z.enum(["blue-green", "canary"]),
  /** The run that it belongs to, for people. */
  run: z.string().optional(),
  from: ReleaseSpec,
  to: ReleaseSpec,
  /** `paused`: a person decides · `finishing`: only what is left of the release before has to go. */
  phase: z.enum(["preparing", "shifting", "paused", "finishing", "going-back"]),
  /** Which step of a canary, from 0. */
  step: z.number().int(),
  /** When the traffic was shifted to the share of this step, ISO 8601. */
  since: z.string().optional(),
  /** Share of the new release now, in percent. */
  percent: z.number(),
  /** Failed measurements of this step. */
  failures: z.number().int(),
  startedAt: z.string(),
  /** Why it pauses or goes back. */
  why: z.string().optional(),
})
export type RolloutState = z.infer<typeof RolloutState>

/** What a person said to a rollout. */
export const RolloutDecision = z.object({
  rollout: z.string(),
  /** The step that is promoted. */
  step: z.number().int(),
  kind: z.enum(["promote", "abort"]),
  /** Leaves the steps that are left out. */
  full: z.boolean().default(false),
  by: z.string(),
  reason: z.string(),
  at: z.string(),
})
export type RolloutDecision = z.infer<typeof RolloutDecision>

/** Blue after a switch: kept whole and without traffic, for a switch back at once. */
export const Kept = z.object({ key: z.string(), until: z.string() })
export type Kept = z.infer<typeof Kept>

/** A release that was taken back: it is not brought there again unless a person says so. */
export const Refusal = z.object({
  key: z.string(),
  digest: z.string(),
  commit: z.string(),
  at: z.string(),
  why: z.string(),
})
export type Refusal = z.infer<typeof Refusal>

const read = async <T>(notes: Notes, name: string, schema: z.ZodType<T>): Promise<T | undefined> =>
  schema.safeParse(await notes.read(name)).data

export const readRollout = (notes: Notes) => read(notes, "rollout", RolloutState)
export const readDecision = (notes: Notes) => read(notes, "decision", RolloutDecision)
export const writeDecision = (notes: Notes, decision: RolloutDecision) => notes.write("decision", decision)
export const readKept = (notes: Notes) => read(notes, "kept", Kept)
export const writeKept = (notes: Notes, kept: Kept | undefined) => notes.write("kept", kept)
export const readRefusals = async (notes: Notes) => (await read(notes, "refused", z.array(Refusal))) ?? []

const mostRefusals = 20

export async function refuse(notes: Notes, release: ReleaseSpec, why: string): Promise<void> {
  const { digest, commit } = release
  const key = releaseKey(release)
  const others = (await readRefusals(notes)).filter((r) => r.key !== key)
  const all = [{ key, digest, commit, at: new Date().toISOString(), why }, ...others]
  await notes.write("refused", all.slice(0, mostRefusals))
}

/** Takes a refusal back. @returns the refusal, if there was one */
export async function allow(notes: Notes, key: string): Promise<Refusal | undefined> {
  const all = await readRefusals(notes)
  const found = all.find((r) => r.key === key)
  if (found !== undefined) {
    await notes.write(
      "refused",
      all.filter((r) => r !== found),
    )
  }
  return found
}

/** The record of a rollout while it goes on. Each change is durable before what it is about happens. */
export interface Journal {
  readonly state: RolloutState
  write(change: Partial<RolloutState>): Promise<void>
  /** A step is through; a promotion of it is dealt with. */
  advance(change: Pick<RolloutState, "phase"> & { readonly step?: number }): Promise<void>
  /** What a person says to this rollout: an abort whenever it came, a promotion of this very step. */
  decision(): Promise<RolloutDecision | undefined>
  /** It is over, one way or the other. */
  end(): Promise<void>
}

export function journalOf(target: Target, begin: RolloutState): Journal {
  let state = begin
  const { notes } = target
  const write = async (change: Partial<RolloutState>) => {
    state = { ...state, ...change }
    await notes.write("rollout", state)
  }
  return {
    get state() {
      return state
    },
    write,
    async advance(change) {
      const { step } = state
      await write({ ...change, since: undefined, failures: 0, why: undefined })
      // An abort stays: it came while the step ended, and is about the rollout, not about the step.
      const said = await readDecision(notes)
      if (said?.kind === "promote" && said.step === step) await notes.write("decision", undefined)
    },
    async decision() {
      const found = await readDecision(notes)
      return found?.rollout === state.id && (found.kind === "abort" || found.step === state.step) ? found : undefined
    },
    async end() {
      await notes.write("rollout", undefined)
      await notes.write("decision", undefined)
    },
  }
}

/** A rollout that begins now. */
export function freshState(
  fields: Pick<RolloutState, "strategy" | "from" | "to" | "run">,
  now = new Date(),
): RolloutState {
  return {
    schema: 1,
    id: randomBytes(6).toString("hex"),
    ...fields,
    phase: "preparing",
    step: 0,
    percent: 0,
    failures: 0,
    startedAt: now.toISOString(),
  }
}
