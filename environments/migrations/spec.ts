import { sha256 } from "../../core/json.js"
import type { Environment } from "../environment.js"
import type { ReleaseSpec } from "../release.js"
import type { Target } from "../target.js"

/** What brings the database to what a release needs. */
export interface MigrationSpec {
  /** Command of the release's image, run by `sh -c` in it. */
  readonly run: string
  /** Hash over what it applies: the same content is not applied twice. */
  readonly content: string
  readonly timeoutSeconds: number
  /** The release that runs now keeps working on the new schema. */
  readonly compatible: boolean
}

export interface MigrateOptions {
  readonly target: Target
  readonly environment: Environment
  readonly release: ReleaseSpec
  readonly migration: MigrationSpec
  readonly signal: AbortSignal
  tell(line: string): void
  /** What the command writes, while it runs. */
  output(chunk: string): void
  keepLog(name: string, text: string): Promise<void>
}

/** Name of the task, and so the end of its container's name: one at a time. */
export const task = "migration"

/** Two migrations with the same command and content are one. */
export function migrationKey({ run, content }: Pick<MigrationSpec, "run" | "content">): string {
  return sha256(`${run}\0${content}`).slice(0, 16)
}
