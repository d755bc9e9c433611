import type { MetricsSource } from "./analysis/verdict.js"
import type { Memory } from "./memory.js"
import type { ReleaseSpec } from "./release.js"
import type { RollingStrategy } from "./strategies/settings.js"
import type { Tasks } from "./task.js"

/**
 * The few things that a place to run releases must be able to do. Strategies are written over these alone, so each works
 * on every target. State lives in the target: another process sees with `describe` what runs, and carries on.
 * A target belongs to one service in one environment.
 */
export interface Target extends Tasks, Memory {
  readonly environment: string
  readonly service: string
  /** Base URL behind the load balancer, as the host reaches it. Known before anything runs. */
  readonly url: string
  /** Where a release is seen before users see it: `setPreview` says which instances answer. */
  readonly previewUrl: string
  /** How the preview is asked where the host does not reach its address itself. */
  readonly askPreview?: ((path: string, signal: AbortSignal) => Promise<{ status: number; text: string }>) | undefined
  /** Makes network, load balancer and database exist and answer, and gets the image. Touches no instance. */
  prepare(release: ReleaseSpec, signal: AbortSignal): Promise<void>
  /** All instances, also dead ones and those that an interrupted deployment left behind. Lowest slot first. */
  describe(): Promise<readonly Instance[]>
  /** Starts instances outside of traffic; the balancer begins to check them. */
  start(release: ReleaseSpec, count: number, signal: AbortSignal): Promise<readonly Instance[]>
  /** Has the balancer check an instance without giving it traffic. For those found half-started. */
  probe(instance: Instance): Promise<void>
  /** Gives instances traffic in proportion to their weights, 1–256. All of them change in one go. */
  setWeights(weights: ReadonlyMap<Instance, number>): Promise<void>
  /** Exactly these instances answer on the preview address, and to requests with the testers' header. */
  setPreview(instances: readonly Instance[]): Promise<void>
  /** Takes an instance out of the balancer and waits until its last request has ended, at most so many seconds. */
  drain(instance: Instance, seconds: number, signal: AbortSignal): Promise<void>
  /** SIGTERM, after the grace period SIGKILL, then gone. Harmless when it is gone already. */
  stop(instance: Instance, graceSeconds: number): Promise<void>
  /** Last lines of what it wrote, secrets of the environment masked. Dead ones too. */
  logs(instance: Instance, lines: number): Promise<string>
  /**
   * Figures of this environment, once they can be asked for; a Prometheus that was stopped is started again. To be
   * called before traffic moves: what cannot be judged is not begun.
   * @throws METRICS-UNREACHABLE, ENV-PORT-IN-USE
   */
  metrics(signal: AbortSignal): Promise<MetricsSource>
  /**
   * Rolls by its own means, where the place has better ones than one instance after the other. Afterwards only this release
   * is left, whole, with all the traffic. @throws as `roll` of the strategies
   */
  roll?(order: RollOrder): Promise<void>
  /** Brings another instance by itself where one is gone: whoever took it, a node that is emptied, say, it is no fault of its release. */
  readonly replaces?: boolean
  /** An autoscaler has the say about the number of instances. */
  readonly elastic?: boolean
  /** Where others may set the number of instances, an autoscaler or the clock: how many a release is to have now. */
  readonly wantedReplicas?: (configured: number) => Promise<number>
  /** Between two looks at instances that are waited for. Milliseconds. Default 100. */
  readonly pollMs?: number
}

/** What a target that rolls by its own means is told. */
export interface RollOrder {
  readonly release: ReleaseSpec
  readonly replicas: number
  readonly strategy: RollingStrategy
  readonly signal: AbortSignal
  tell(line: string): void
  keepLog(name: string, text: string): Promise<void>
}

/** How an instance that does not run ended. */
export interface Exit {
  readonly code: number
  readonly outOfMemory: boolean
}

export interface Instance {
  readonly id: string
  /** What a person looks for: the container's name. */
  readonly name: string
  /** Its place in the balancer, from 1. */
  readonly slot: number
  /** releaseKey of what it runs. */
  readonly key: string
  readonly release: ReleaseSpec
  /** dead: exited, or never started because its deployer was killed. */
  readonly state: "running" | "dead"
  /** Weight in the balancer; 0: no traffic. */
  readonly weight: number
  /** The balancer's own view: its last check of the readiness path was answered with 200. */
  readonly healthy: boolean
  /** Why not healthy, in the balancer's words, e.g. "Layer7 wrong status, code 503". */
  readonly check?: string | undefined
  readonly exit?: Exit | undefined
  /** Nothing of it runs yet, for its image or its volumes are on their way: its time to become ready has not begun. */
  readonly preparing?: boolean
  /** Why it will not become ready, whatever it does itself: it cannot be pulled, or placed. */
  readonly trouble?: { readonly kind: string; readonly text: string }
  /** How often it was started again after it had died. */
  readonly restarts: number
}

/** Weight of an instance that takes its full share. */
export const fullWeight = 100
