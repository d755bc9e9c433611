import type { Client } from "@dagger.io/dagger"
import type { z } from "zod"
import type { Artifact, Artifacts } from "./artifacts.js"
import type { Condition, Facts } from "./condition.js"
import { checkDefinition } from "./step-check.js"
import type { Json } from "./json.js"
import type { Report } from "./reports.js"
import type { Secret } from "./secrets.js"

/** How often an errored step (infrastructure; never a failed one) is tried, and the pause before the second try. */
export interface Retry {
  /** Attempts in all, 1 is none again. */
  readonly attempts: number
  /** Pause before the second attempt, doubled for each further one. Milliseconds. Default 1000. */
  readonly backoff?: number
}

export interface RunInfo {
  readonly id: string
  readonly pipeline: string
  /** Folder of the run: `.gantry/runs/<id>`. */
  readonly dir: string
  /** Folder of the project: where gantry.config.ts lies. */
  readonly project: string
  /** Commit that is delivered, full hash. */
  readonly commit: string
  /** The work tree instead of the commit. */
  readonly dirty: boolean
  /** What was known about the source when the run began: branch, merge request … */
  readonly facts?: Facts
}

export interface Log {
  /** A line of the step's own. */
  info(text: string): void
  warn(text: string): void
  /** Raw output of a tool; may come in any pieces. */
  write(chunk: string): void
}

export interface Context<N extends Needs, S extends string> {
  readonly run: RunInfo
  readonly step: string
  /** 1 for the first attempt. */
  readonly attempt: number
  /** The Dagger session. A step with `engine: false` has none: reading it is an error. */
  readonly dag: Client
  /** Outputs of the needed steps, typed. `undefined` where the needed step had a `when` and was skipped. */
  readonly needs: Values<N>
  readonly secrets: Readonly<Record<S, Secret>>
  readonly artifacts: Artifacts
  readonly log: Log
  /** Scratch folder of this attempt; removed afterwards. */
  readonly scratch: string
  /** Tells people something structured (test results, findings …), at once, also if the step goes red later. */
  publish(report: Report): void
  /** A value that turned out to be secret while the step ran (a generated token): masked from now on. */
  mask(value: string): void
  /** Aborted on interruption, timeout or a failed sibling. Hand it to whatever waits. */
  readonly signal: AbortSignal
}

export interface Effect<N extends Needs, S extends string, Out> {
  /** Identifies what is done: the same key is the same effect, e.g. `deploy:test:sha256:…`. */
  key(input: { readonly needs: Values<N>; readonly run: RunInfo }): string
  readonly retry: Retry
  /**
   * What to do when an earlier process recorded that it started this effect and no end of it is known.
   * A function looks at the target: it answers the output if the effect took place, undefined if it did not.
   * "repeat": doing it again is harmless by nature (the same key leads to the same state).
   */
  readonly reconcile: "repeat" | ((context: Context<N, S>) => Promise<Out | undefined>)
}

export interface StepDefinition<N extends Needs, Out, S extends string, W extends Condition | undefined> {
  readonly needs?: N
  /** Order without data. */
  readonly after?: readonly AnyStep[]
  readonly when?: W
  /** Names of secrets, known before anything runs. */
  readonly secrets?: readonly S[]
  /** Of these, tokens by which a job of a CI system proves what it is, and whom they are for (`aud`): "sigstore". */
  readonly idTokens?: Readonly<Partial<Record<NoInfer<S>, string>>>
  readonly output?: z.ZodType<Out>
  /** Absent on pure steps. */
  readonly effect?: Effect<N, S, Out>
  /** A person decides here: the step may end as waiting, and is asked again by `gantry resume`. */
  readonly gate?: boolean
  /** Parameters that `run` closes over. Part of the fingerprint: same id, other parameters, other result. */
  readonly params?: Json
  /** Raise it when `run` changes meaning, so that results of the old code are not taken from the cache. */
  readonly version?: number
  /**
   * What a pure step's result depends on besides id, version and parameters. Default: the needs' outputs.
   * A function narrows that, e.g. to the hash of the one folder that is tested. `false`: never cached.
   */
  readonly cache?: false | ((input: { readonly needs: Values<N>; readonly run: RunInfo }) => Json)
  /** False: runs on the host alone, no Dagger session is opened for it. Default true. */
  readonly engine?: boolean
  /** Milliseconds; then the attempt is aborted and errored. */
  readonly timeout?: number
  /** For pure steps; an effect states its own. */
  readonly retry?: Retry
  /** Runs after the step whatever happened to it, after cancellation too, with a fresh signal. */
  ensure?(context: Context<N, S>): Promise<void>
  /** What it tells people through `publish`: CI hands those on in the host's formats. A step may publish less. */
  readonly publishes?: readonly Report["kind"][]
  /** For people and generated CI: which stage of the flow, service and environment it belongs to. */
  readonly stage?: string
  readonly service?: string
  readonly environment?: string
  /** For people who look at the plan: what it will do that its name does not say. */
  readonly summary?: string
  run(context: Context<N, S>): Promise<NoInfer<Out>>
}

export type StepKind = "pure" | "effect" | "gate"

export interface Step<Out = unknown, W extends Condition | undefined = undefined> {
  readonly id: string
  readonly kind: StepKind
  readonly needs: Needs
  readonly after: readonly AnyStep[]
  readonly when: W
  readonly secrets: readonly string[]
  readonly definition: ErasedDefinition
  /** Carries the type of the output; never set. */
  readonly out?: Out
}
export type AnyStep = Step<unknown, Condition | undefined>
/** A step that may have a condition: who needs it gets `Out | undefined`. */
export type MaybeStep<Out> = Step<Out, Condition | undefined>
export type Needs = Readonly<Record<string, AnyStep | readonly AnyStep[]>>

type Value<S> = S extends Step<infer O, infer W> ? (W extends undefined ? O : O | undefined) : never
/** The outputs behind a record of steps; a list of steps becomes a list of outputs. */
export type Values<N extends Needs> = {
  readonly [K in keyof N]: N[K] extends readonly (infer S)[] ? readonly Value<S>[] : Value<N[K]>
}

/** The definition as the scheduler sees it: types of needs, secrets and output forgotten, shapes kept. */
export interface ErasedDefinition extends StepDefinition<Needs, unknown, string, Condition | undefined> {
  /**
   * A red step does not stop the ones behind it; the run stays successful. Set by the decorator alone, because it changes
   * the type of the step: its output may be missing.
   */
  readonly allowFailure?: boolean
}

/**
 * Defines a step: a frozen value whose edges are references to other steps.
 * @param id Explicit and unique in its pipeline: GitLab job name, record key, log prefix. Lower case, digits, `-`, `.`.
 * @throws STEP-ID, STEP-ID-TOKEN, STEP-EFFECT, STEP-EFFECT-CACHE, STEP-NEED
 */
export function step<
  N extends Needs = Record<never, never>,
  Out extends Json | void = void,
  const S extends string = never,
  const W extends Condition | undefined = undefined,
>(id: string, definition: StepDefinition<N, Out, S, W>): Step<Out, W> {
  checkDefinition(id, definition)
  return Object.freeze({
    id,
    kind: definition.gate === true ? "gate" : definition.effect === undefined ? "pure" : "effect",
    needs: Object.freeze({ ...definition.needs }),
    after: Object.freeze([...(definition.after ?? [])]),
    when: definition.when as W,
    secrets: Object.freeze([...(definition.secrets ?? [])]),
    definition: Object.freeze({ ...definition }) as unknown as ErasedDefinition,
  })
}

/** The steps whose outputs a step needs, without names. */
export function neededSteps(s: AnyStep): readonly AnyStep[] {
  return Object.values(s.needs).flat() as readonly AnyStep[]
}

/** All the steps that come before: needs, then order-only ones, each once. */
export function predecessors(s: AnyStep): readonly AnyStep[] {
  return [...new Set([...neededSteps(s), ...s.after])]
}

export type { Artifact }
