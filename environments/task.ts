import type { Fault } from "../core/errors.js"
import type { ReleaseSpec } from "./release.js"

/** A command of a release's own image that runs to its end beside the instances, outside of traffic: a migration. */
export interface Task {
  /** End of the container's name, e.g. "migration": what a person looks for. One of a name runs at a time. */
  readonly name: string
  /** What it is about: one that a killed process left is carried on only when it is about the same. */
  readonly key: string
  readonly command: readonly string[]
  /** From the start of its command, not of what prepares it. Then SIGTERM, and SIGKILL ten seconds later. */
  readonly timeoutSeconds: number
}

/** A task as the target has it. */
export interface TaskView {
  readonly key: string
  /** What a person looks for: the container's name. */
  readonly container: string
  /** created: it has never run. */
  readonly state: "created" | "running" | "ended"
}

export interface TaskEnd {
  readonly exitCode: number
  readonly outOfMemory: boolean
  /** It was stopped because its time was over. */
  readonly timedOut: boolean
  /** Seconds from its start to its end. */
  readonly seconds: number
  /** What it wrote, the last thousands of lines of it, secrets of the environment masked. */
  readonly log: string
}

/** The place has lost one that came to no end of its own, or could not begin with it. That is no word of the command's. */
export interface TaskLost {
  /** Whether its command may have done anything. False is certain: it may be run again. */
  readonly begun: boolean
  /** Why, as the place tells it. */
  readonly cause: Fault
  /** As TaskEnd's, as far as it can still be read. */
  readonly log: string
}

export const isLost = (end: TaskEnd | TaskLost): end is TaskLost => "begun" in end

export interface TaskOptions {
  /** Stops the waiting, never the task: half of a migration is worse than the whole. */
  readonly signal: AbortSignal
  /** What it writes while it runs, secrets masked. */
  output?(chunk: string): void
}

/** What a target must be able to do so that something runs once, whatever becomes of the process that wanted it. */
export interface Tasks {
  /** The task of that name, which another process may have left. */
  findTask(name: string): Promise<TaskView | undefined>
  /**
   * Runs a task with the environment's database and the release's configuration, and waits for its end. `starting` is
   * called when all is ready and nothing has run yet: what it writes down is known before anything can have happened.
   */
  runOnce(
    release: ReleaseSpec,
    task: Task,
    options: TaskOptions & { readonly starting?: (() => Promise<void>) | undefined },
  ): Promise<TaskEnd | TaskLost>
  /** Waits for the end of one that is there. @throws ENV-TASK-GONE when somebody else removes it */
  awaitTask(task: Pick<Task, "name" | "timeoutSeconds">, options: TaskOptions): Promise<TaskEnd | TaskLost>
  /** Removes one that has ended or never ran. Harmless when it is gone. */
  removeTask(name: string): Promise<void>
  /** Tells one set of data from another, made anew after it was lost: a moment. Undefined: there are no data yet. */
  dataSince(): Promise<string | undefined>
}
