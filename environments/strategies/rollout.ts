import type { Comparison, Verdict } from "../analysis/verdict.js"
import type { ReleaseSpec } from "../release.js"
import type { Target } from "../target.js"
import type { Observed } from "./samples.js"
import type { RollingStrategy, Strategy } from "./settings.js"
import type { Journal } from "./state.js"

/** What every strategy works with. */
export interface Rollout<S extends Strategy = RollingStrategy> {
  readonly target: Target
  readonly release: ReleaseSpec
  readonly replicas: number
  readonly strategy: S
  readonly signal: AbortSignal
  /** A line for people: which instance, what happened to it. */
  tell(line: string): void
  /** Keeps the whole log of an instance that failed. */
  keepLog(name: string, text: string): Promise<void>
  /** For the chart of the rollout. */
  observe?: ((observed: Observed) => void) | undefined
}

/** A rollout that is judged while two releases share the traffic. */
export interface JudgedRollout<S extends Strategy> extends Rollout<S> {
  /** What has the traffic until the new release has earned it. */
  readonly stable: ReleaseSpec
  readonly journal: Journal
  /** Measures the two releases. @throws errored faults when there are no figures to be had */
  judge(comparison: Comparison): Promise<Verdict>
}
