import type { Fault } from "../../core/errors.js"
import type { Drift } from "./drift.js"
import type { HistoryEntry } from "../history.js"
import type { Memory } from "../memory.js"
import type { Project } from "../places.js"
import type { ReleaseSpec } from "../release.js"

export type ViewProject = Pick<Project, "project" | "engine" | "environments"> & Partial<Pick<Project, "services">>

/**
 * An environment as its target sees it, for those who only look, or take it down. `targets/view-of.ts` chooses which; what all
 * targets have in common (history, rollouts, migrations) is read from the memory and is no affair of a view.
 */
export interface View {
  /** Whether the memory can be read where the target does not answer. */
  readonly remembersAlone: boolean
  memory(service: string): Memory
  /** Why nobody can see what runs there; undefined: it answers. Asked once, and not for long. */
  trouble(): Promise<Fault | undefined>
  /** What runs of a service. Nothing, and no error, where the target has no instances to show. */
  running(service: string): Promise<Running>
  /** Of a service on a cluster, what a row of a table has no room for. */
  cluster?(service: string): Promise<ClusterDetail>
  /** What of a service somebody changed by hand. Changes nothing. */
  drift(service: string, about: DriftQuestion): Promise<readonly Drift[]>
  /** What of the environment belongs to no service, and is not as it was made. */
  ownDrift(): Promise<readonly Drift[]>
  /** What the environment's services depend on, where it has such things of its own. */
  dependencies?(): Promise<readonly DependencyState[]>
  /** What a migration left, with its name for people: a container, a Job. */
  leftTask(service: string, task: string): Promise<{ readonly name: string; readonly running: boolean } | undefined>
  /** @param data databases, credentials and history as well */
  remove(options: { readonly data: boolean }): Promise<void>
}

export interface Running {
  /** As the host reaches it. Undefined: nothing leads there from outside, or nothing was ever made. */
  readonly url: string | undefined
  /** How many instances there are to be, where that is not the configuration's affair. */
  readonly wanted?: number | undefined
  readonly instances: readonly RunningInstance[]
}

export interface RunningInstance {
  readonly name: string
  /** releaseKey of what it runs. */
  readonly key: string
  readonly digest: string | undefined
  /** It runs, ready or not: not one that exited. */
  readonly alive: boolean
  readonly ready: boolean
  readonly traffic: boolean
  readonly restarts: number
  /** Why it is not ready, in the target's words. */
  readonly why?: string | undefined
}

/** What is known when drift is looked for. */
export interface DriftQuestion {
  /** What ran whole last. */
  readonly current: HistoryEntry | undefined
  /** Others that may be there: the one of a rollout, the one that is kept. */
  readonly others: readonly ReleaseSpec[]
  /** A deployment is under way: how many instances there are says nothing then. */
  readonly moving: boolean
}

/** Where a service runs in a cluster, and how it is reached. Plain JSON. */
export interface ClusterDetail {
  /** Of the kubeconfig. */
  readonly context: string
  readonly namespace: string
  /** What shares the traffic out: "HTTPRoute of Gateway lab/public". */
  readonly exposed: string
  /** What each track has of the traffic, in percent. Undefined: nothing was deployed. */
  readonly shares: { readonly blue: number; readonly green: number } | undefined
  readonly autoscaler:
    | {
        readonly min: number
        readonly max: number
        readonly current: number
        readonly desired: number
        /** Why it does not act, in its own words. */
        readonly trouble: string | undefined
      }
    | undefined
  /** The newest warnings of the cluster about what is not well, newest first. */
  readonly events: readonly { readonly about: string; readonly text: string; readonly at: string }[]
  /** A command that tells more about what is not well. */
  readonly look: string | undefined
}

/** Something stateful that belongs to an environment. Plain JSON. */
export interface DependencyState {
  readonly name: string
  /** What it is made of: chart, oci, manifests, kustomize. */
  readonly kind: string
  /** `missing` declared, never brought · `started` nobody saw it become ready · `ready` · `degraded` it was ready, and is not now */
  readonly state: "missing" | "started" | "ready" | "degraded"
  /** Whether the configuration still declares it. */
  readonly declared: boolean
  readonly hash?: string
  readonly commit?: string
  /** Since when, ISO 8601. */
  readonly at?: string
  /** What is not ready, and the cluster's words about it. */
  readonly trouble: readonly string[]
  readonly drift: readonly Drift[]
}
