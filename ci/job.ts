import type { Condition } from "../core/condition.js"
import type { Report } from "../core/reports.js"
import type { AnyStep } from "../core/step.js"
import type { Audiences } from "./id-tokens.js"

/** When a job is part of a CI pipeline. A host may run it too often, never too seldom: the job itself decides exactly. */
export interface Presence {
  /** Undefined: always. */
  readonly when: Condition | undefined
  /** One of these services is affected by the change; undefined: whatever changed. */
  readonly services: readonly string[] | undefined
  /** It runs for merge requests, too. */
  readonly mergeRequests: boolean
}

/** A job as both CI systems need to know it. */
export interface CiJob {
  readonly name: string
  readonly steps: readonly AnyStep[]
  readonly stage: string
  /** Jobs whose artifacts it takes. What these carry along is not named again. */
  readonly needs: readonly string[]
  readonly kind: "gate" | "effect" | "pure"
  readonly service: string | undefined
  readonly environment: string | undefined
  readonly presence: Presence
  /** Nothing outside has been changed before it has ended: it may be cancelled when a newer commit comes. */
  readonly harmless: boolean
  /** A gate, or behind one. */
  readonly gated: boolean
  readonly allowFailure: boolean
  /** Most that it may take, in minutes. */
  readonly minutes: number
  readonly publishes: ReadonlySet<Report["kind"]>
  readonly secrets: readonly string[]
  /** Of the secrets, those that the CI system makes for the job. */
  readonly idTokens: Audiences
}
