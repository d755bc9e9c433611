import type { Json } from "../core/json.js"

/** What is remembered of a service in an environment, kept where it runs: any process can carry on. */
export interface Memory {
  readonly notes: Notes
  readonly locks: Locks
}

/** Small named notes beside what runs. Writes are atomic and durable. */
export interface Notes {
  /** Plain JSON; undefined when there is none. What is no JSON any more is answered as the text that it is. */
  read(name: string): Promise<unknown>
  /** `undefined` removes it. @throws NOTES-FULL where the place has no room for it */
  write(name: string, value: Json): Promise<void>
  /** Where a person finds it. */
  where(name: string): string
}

/** What one process at a time does to a service in an environment. */
export type LockName = "deploy" | "migrate"

/** Who holds a lock, for people. */
export interface LockHolder {
  /** "process 12 on build-3" */
  readonly by: string
  /** "deploy catalog to prod" */
  readonly what: string
  /** ISO 8601. */
  readonly since: string
  /** As far as can be told from here. */
  readonly alive: boolean
  /** When it expires unless it is renewed, ISO 8601; undefined: it does not. */
  readonly expires?: string | undefined
}

export interface Locks {
  /**
   * Runs `work` while this process alone holds the lock. A living holder is waited for, and told once by `onWait`; one that
   * is gone is succeeded. @throws LOCK-INTERRUPTED when `signal` fires while it waits
   */
  hold<T>(name: LockName, what: string, work: () => Promise<T>, options: HoldOptions): Promise<T>
  /** Undefined: nobody holds it. */
  holder(name: LockName): Promise<LockHolder | undefined>
  /** Takes it away from whoever holds it. Only for a person who knows that the holder is gone. */
  break(name: LockName): Promise<void>
  /** What a person can do about a holder. */
  hint(name: LockName, holder: LockHolder | undefined): string
}

export interface HoldOptions {
  readonly signal: AbortSignal
  onWait?(holder: LockHolder): void
}
