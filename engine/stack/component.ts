import type { EngineConfig } from "../config.js"
import type { EngineContext } from "../context.js"

/** What a component's container is made of. Everything in it is part of its identity: a change makes a new container. */
export interface ContainerSpec {
  readonly command?: readonly string[]
  readonly entrypoint?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** Volume (its name is prefixed with the stack's) → folder. Volumes outlive the container. */
  readonly volumes?: Readonly<Record<string, string>>
  /** `host:container[:ro]` */
  readonly binds?: readonly string[]
  /** Container port → host port on 127.0.0.1. Nothing is published beyond loopback. */
  readonly ports?: Readonly<Record<number, number>>
  /** Joins the network of another component, sharing its loopback. */
  readonly networkOf?: string
  /** `true`: everything, where the host allows it, else every capability that it has (see stack/privileges.ts). */
  readonly privileged?: boolean
  readonly user?: string
  readonly ulimits?: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[]
  readonly memoryBytes?: number
  /** Seconds between SIGTERM and SIGKILL. */
  readonly stopSeconds?: number
}

/** A component's container as it runs. */
export interface Running {
  readonly id: string
  readonly name: string
  /** Local name of its image, and where that came from. */
  readonly image: string
  readonly source: "mirror" | "registry" | "packages"
  /** ISO 8601. */
  readonly startedAt: string
  /** Runs a command in the container: exit code and output (stdout and stderr). */
  exec(command: readonly string[]): Promise<{ readonly exitCode: number; readonly output: string }>
}

/** A part of the local stack, as data. */
export interface Component {
  /** "registry"; the container is named <stack>-<id>. */
  readonly id: string
  readonly title: string
  /** Components that must be up before. */
  needs(config: EngineConfig): readonly string[]
  /** Public reference of its image. */
  image(config: EngineConfig): string
  /** From container start to healthy, on 2 cores. */
  readonly expectedSeconds: number
  /** Deadline of the same. */
  readonly startSeconds: number
  /** Address of the server that replaces it by configuration; the stack then starts none. */
  external(config: EngineConfig): string | undefined
  /** Gathers what the container needs on the host (folders, files), and answers the container. */
  spec(context: EngineContext): Promise<ContainerSpec>
  /** `undefined` when it can be used now, else what is still missing. Called until it is content or the deadline passes. */
  health(context: EngineContext, running: Running): Promise<string | undefined>
  /** The running version, as the component itself says it. */
  version(context: EngineContext, running: Running): Promise<string>
  /** The version that it must have; anything else is a fault (STACK-VERSION). */
  readonly expectedVersion?: string | RegExp
  /** Once after each start, when it is healthy: first set-up. Must be safe to repeat. */
  prepare?(context: EngineContext, running: Running): Promise<void>
  /** For people: where it answers. */
  address(config: EngineConfig): string | undefined
}
