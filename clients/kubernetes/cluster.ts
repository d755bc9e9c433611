import type { KubeSource } from "./config.js"
import type { Asked, Conflict } from "./faults.js"
import type { KubeObject, KubeRef } from "./object.js"
import type { KubeAnswer } from "./send.js"

/** A Kubernetes cluster, as far as environments need it. Objects are plain JSON, as the API has them. */
export interface Cluster {
  /** Name of the context, for people. */
  readonly context: string
  readonly server: string
  read<T extends KubeObject>(ref: KubeRef): Promise<T | undefined>
  /** @param labels a label selector: "a=b,c" */
  list<T extends KubeObject>(what: ListOf): Promise<readonly T[]>
  /**
   * Server-side apply, never forced. `dryRun` answers what it would become; `would`, what it would become if others' changes
   * to our fields gave way. @throws K8S-CONFLICT, K8S-INVALID, K8S-DENIED
   */
  apply<T extends KubeObject>(object: KubeObject, options?: ApplyOptions): Promise<T>
  /** Undefined when one of that name is there already. */
  create<T extends KubeObject>(object: KubeObject): Promise<T | undefined>
  /** The whole object, as of its resourceVersion; undefined when somebody else was faster, or it is gone. */
  replace<T extends KubeObject>(object: KubeObject): Promise<T | undefined>
  /**
   * JSON merge patch; undefined when there is no such object. One with a `metadata.resourceVersion` holds for the object as of
   * that alone: undefined as well when it has changed since. @param subresource e.g. "scale"
   */
  patch<T extends KubeObject>(ref: KubeRef, patch: Patch, subresource?: string): Promise<T | undefined>
  /** Harmless when it is gone. What it owns goes in the background, or first. */
  remove(ref: KubeRef, options?: RemoveOptions): Promise<void>
  /** "" when the pod is gone or has written nothing. */
  logs(pod: Omit<KubeRef, "apiVersion" | "kind">, options: LogsOptions): Promise<string>
  /** Hands on what a pod writes until it ends or `signal` fires. */
  follow(
    pod: Omit<KubeRef, "apiVersion" | "kind">,
    onChunk: (chunk: Buffer) => void,
    signal: AbortSignal,
  ): Promise<void>
  serves(apiVersion: string, kind: string): Promise<boolean>
  /**
   * A request below the API server, e.g. through its proxy to a Service. Only a server that does not answer at all is waited
   * for: what stands behind the proxy, or that nobody does (503), is an answer. @throws K8S-FORBIDDEN, K8S-UNAUTHORIZED
   */
  raw(
    method: "GET" | "POST",
    path: string,
    asked: Asked,
    body?: { readonly text: string; readonly type: string },
  ): Promise<KubeAnswer>
}

export interface ApplyOptions {
  readonly dryRun?: boolean | "would"
  /** Who owns the fields. Default: `fieldManager`. */
  readonly manager?: string
  /** Whether a field that somebody else has set is taken from him. Only where that holds for all of them. */
  over?(conflict: Conflict): Promise<boolean>
}

export interface Patch {
  readonly metadata?: { readonly resourceVersion?: string | undefined; readonly [field: string]: unknown }
  readonly [field: string]: unknown
}

export interface ListOf {
  readonly apiVersion: string
  readonly kind: string
  readonly namespace?: string | undefined
  readonly labels?: string | undefined
  readonly fields?: string | undefined
}

export interface RemoveOptions {
  readonly graceSeconds?: number
  readonly foreground?: boolean
  /** Only this very object, not one of the same name that was made since. */
  readonly uid?: string | undefined
}

export interface LogsOptions {
  readonly lines: number
  /** Of the container that ended before the one that runs. */
  readonly previous?: boolean
  readonly container?: string
}

export interface ClusterOptions extends KubeSource {
  /** Ends every call, and those that come later. */
  readonly signal?: AbortSignal | undefined
  /**
   * When it fires, nobody waits any longer for a server that does not answer. One that answers is asked all the same, and what comes
   * later is waited for as ever: whoever is interrupted goes back, and lets go of what he holds.
   */
  readonly interrupt?: AbortSignal | undefined
  /** How long a server that does not answer is waited for. Seconds. Default 60. */
  readonly patienceSeconds?: number
  /** Told once when the server does not answer, and when it answers again. */
  tell?(line: string): void
}
