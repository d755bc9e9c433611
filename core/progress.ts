/**
 * Progress of long work that is not a step of a run: provisioning, downloads, builds.
 * The one who works reports; who shows it (terminal, plain lines, a test) decides how.
 */
export interface Task {
  /** What is happening right now; `fraction` 0–1 where it is known. */
  update(text: string, fraction?: number): void
  /** A line of the tool's own output. */
  log(line: string): void
  done(note?: string): void
  fail(error: unknown): void
}

export interface Progress {
  /** Starts a task. `expectedSeconds` is what it takes on 2 cores, shown to the one who waits. */
  task(title: string, options?: { readonly expectedSeconds?: number }): Task
}

const silentTask: Task = { update() {}, log() {}, done() {}, fail() {} }

/** For callers who want none. */
export const noProgress: Progress = { task: () => silentTask }
