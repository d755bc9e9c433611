import type { Json } from "../core/json.js"
import type { MetricsSource } from "./analysis/verdict.js"
import type { ReleaseSpec } from "./release.js"
import type { Tasks } from "./task.js"

/**
 * The few things that a place to run releases must be able to do. Strategies are written over these alone, so each works
 * on every target. State lives in the target: another process sees with `describe` what runs, and carries on.
 * A target belongs to one service in one environment.
 */
export interface Target extends Tasks {
  readonly environment: string
  readonly service: string
  /** Base URL behind the load balancer, as the host reaches it. Known before anything runs. */
  readonly url: string
  /** Where a release is seen before users see it: `setPreview` says which instances answer. */
  readonly previewUrl: string
  /** What a rollout has to remember, kept with the instances, so that any process can carry it on. */
  readonly notes: Notes
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
}

/** Small named notes beside what runs. Writes are atomic and durable. */
export interface Notes {
  /** Plain JSON; undefined when there is none. */
  read(name: string): Promise<unknown>
  /** `undefined` removes it. */
  write(name: string, value: Json): Promise<void>
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
  readonly exit?: { readonly code: number; readonly outOfMemory: boolean } | undefined
  /** How often it was started again after it had died. */
  readonly restarts: number
}

/** Weight of an instance that takes its full share. */
export const fullWeight = 100
