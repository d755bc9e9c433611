import type { Comparison, Verdict } from "../analysis/verdict.js"
import type { Environment } from "../environment.js"
import type { ReleaseSpec } from "../release.js"
import type { Observed } from "../strategies/samples.js"
import type { Target } from "../target.js"

/** What a deployment is told. */
export interface DeployOptions {
  readonly target: Target
  readonly environment: Environment
  readonly release: ReleaseSpec
  readonly signal: AbortSignal
  /** The run that deploys, for people who look at a rollout. */
  readonly run?: string
  /** Who approved this deployment, and when: a release that was taken back before that may go there again. */
  readonly approved?: { readonly by: string; readonly at: string } | undefined
  /** How a release that has part of the traffic is measured. */
  judge?(comparison: Comparison): Promise<Verdict>
  tell(line: string): void
  keepLog(name: string, text: string): Promise<void>
  observe?: (observed: Observed) => void
}

export interface Deployed {
  readonly unchanged: boolean
  readonly replicas: number
  readonly release: ReleaseSpec
  /** What ran before, to which a rollback would go. */
  readonly previous: ReleaseSpec | undefined
}
