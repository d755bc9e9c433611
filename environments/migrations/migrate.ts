import { join } from "node:path"
import { isFault } from "../../core/errors.js"
import { sha256 } from "../../core/json.js"
import { withLock } from "../../core/lock.js"
import type { Environment } from "../environment.js"
import { readHistory } from "../history.js"
import { serviceFolder, type Place } from "../places.js"
import type { ReleaseSpec } from "../release.js"
import type { Target } from "../target.js"
import type { TaskEnd } from "../task.js"
import { cancelledFault, failedFault, incompatibleFault, unknownFault, type Where } from "./faults.js"
import { readMigrations, recordMigration, type MigrationEntry } from "./journal.js"

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
  readonly place: Place
  readonly environment: Environment
  readonly release: ReleaseSpec
  readonly migration: MigrationSpec
  readonly signal: AbortSignal
  tell(line: string): void
  /** What the command writes, while it runs. */
  output(chunk: string): void
  keepLog(name: string, text: string): Promise<void>
}

export interface Migrated {
  /** False: this very content had been applied there before. */
  readonly applied: boolean
  /** When it had been applied, ISO 8601. */
  readonly at: string
}

const task = "migration"

/**
 * Brings the database of a service in an environment to what a release needs: once for each content, one at a time, written
 * down before it begins and after it ended. What a killed process left is waited for and looked at, never repeated blindly.
 * Touches no instance.
 * @throws MIGRATION-FAILED, MIGRATION-TIMEOUT, MIGRATION-INCOMPATIBLE, MIGRATION-UNKNOWN, MIGRATION-CANCELLED,
 *   MIGRATION-STATE and those of the environment's parts (ENV-…)
 */
export async function migrate(options: MigrateOptions): Promise<Migrated> {
  return alone(options, async () => {
    const found = await lookup(options)
    if (found !== undefined) return { applied: false, at: found }
    await refuseIncompatible(options)
    const { target, release, signal } = options
    await target.prepare(release, signal)
    return { applied: true, at: await run(options) }
  })
}

/** A migration of an earlier process, after waiting for its end; undefined when it has not taken place. */
export async function findMigration(options: MigrateOptions): Promise<Migrated | undefined> {
  return alone(options, async () => {
    const found = await lookup(options)
    return found === undefined ? undefined : { applied: true, at: found }
  })
}

/** When the content was applied. What is begun without a known end is settled first, whatever it is about. */
async function lookup(options: MigrateOptions): Promise<string | undefined> {
  const { target, place, tell } = options
  await settle(options)
  const key = migrationKey(options.migration)
  const since = await target.dataSince()
  const entry = (await readMigrations(place, target.service)).find((e) => e.key === key)
  if (entry?.status !== "done") return undefined
  if (entry.database !== since) {
    tell(`the database of ${target.service} is another one than at ${entry.endedAt}: the migration runs again`)
    return undefined
  }
  tell(`the database has had this migration since ${entry.endedAt}: nothing to do`)
  return entry.endedAt
}

async function settle(options: MigrateOptions): Promise<void> {
  const { target, place, tell, signal, output, migration } = options
  const left = await target.findTask(task)
  const open = (await readMigrations(place, target.service)).find((e) => e.status === "started")
  const wait = (timeoutSeconds: number) =>
    watched(target, left?.container ?? task, signal, () =>
      target.awaitTask({ name: task, timeoutSeconds }, { signal, output }),
    )
  if (open === undefined) {
    if (left?.state === "running") {
      tell(`${left.container} runs, and nothing is written down about it: its end is waited for`)
      await wait(migration.timeoutSeconds)
    }
    return target.removeTask(task)
  }
  if (left?.key !== open.key) throw unknownFault(target, open)
  if (left.state === "created") {
    await recordMigration(place, target.service, notBegun(open))
    return target.removeTask(task)
  }
  tell(
    left.state === "running"
      ? `a migration of commit ${open.commit.slice(0, 12)} still runs in ${left.container}: its end is waited for`
      : `a migration of commit ${open.commit.slice(0, 12)} ended in ${left.container} while nobody watched`,
  )
  await conclude(options, open, await wait(open.timeoutSeconds))
}

async function run(options: MigrateOptions): Promise<string> {
  const { target, place, release, migration, signal, tell, output } = options
  const database = await target.dataSince()
  let entry: MigrationEntry = {
    key: migrationKey(migration),
    content: migration.content,
    run: migration.run,
    digest: release.digest,
    commit: release.commit,
    compatible: migration.compatible,
    timeoutSeconds: migration.timeoutSeconds,
    ...(database === undefined ? {} : { database }),
    status: "started",
    startedAt: new Date().toISOString(),
  }
  const { run: command, timeoutSeconds } = migration
  tell(`migrates with \`${command}\` of ${release.digest.slice(0, 19)}, for at most ${timeoutSeconds} s`)
  const work = { name: task, key: entry.key, command: ["sh", "-c", command], timeoutSeconds }
  const starting = async () => {
    signal.throwIfAborted()
    entry = await recordMigration(place, target.service, { ...entry, startedAt: new Date().toISOString() })
  }
  const end = await watched(target, `…-${task}`, signal, () =>
    target.runOnce(release, work, { signal, output, starting }),
  )
  return conclude(options, entry, end)
}

/** Writes down how it ended, and only then lets go of its container. @throws MIGRATION-FAILED, MIGRATION-TIMEOUT */
async function conclude(options: MigrateOptions, entry: MigrationEntry, end: TaskEnd): Promise<string> {
  const { target, place, tell, keepLog } = options
  const endedAt = new Date().toISOString()
  const failed = end.timedOut || end.exitCode !== 0
  await keepLog("migration.log", end.log)
  const failure = failed ? failedFault(target, entry, end) : undefined
  await recordMigration(place, target.service, {
    ...entry,
    status: failed ? "failed" : "done",
    endedAt,
    exitCode: end.exitCode,
    ...(failure === undefined ? {} : { note: failure.reason?.split("\n")[0] ?? failure.message }),
  })
  await target.removeTask(task)
  if (failure !== undefined) throw failure
  tell(`migrated in ${end.seconds.toFixed(1)} s`)
  return endedAt
}

/** A release that serves must not meet a schema that it cannot work with. Where nothing ran yet, nobody can. */
async function refuseIncompatible({ target, place, environment, migration }: MigrateOptions): Promise<void> {
  const { kind } = environment.strategy
  if (migration.compatible || kind === "blue-green") return
  if ((await readHistory(place, target.service)).length === 0) return
  throw incompatibleFault(target, kind)
}

/** Two migrations with the same command and content are one. */
export function migrationKey({ run, content }: Pick<MigrationSpec, "run" | "content">): string {
  return sha256(`${run}\0${content}`).slice(0, 16)
}

const notBegun = (entry: MigrationEntry): MigrationEntry => ({
  ...entry,
  status: "failed",
  endedAt: new Date().toISOString(),
  note: "It never began: whoever wanted it was killed before.",
})

/** Whoever stops waiting is told where it goes on. */
async function watched<T>(where: Where, container: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isFault(error) || !signal.aborted) throw error
    throw cancelledFault(where, container, error)
  }
}

async function alone<T>({ target, place, release, signal, tell }: MigrateOptions, work: () => Promise<T>): Promise<T> {
  const file = join(serviceFolder(place, target.service), "migrate.lock")
  const what = `migrate ${target.service} in ${target.environment} for commit ${release.commit.slice(0, 12)}`
  return withLock(file, what, work, {
    signal,
    onWait: (owner) => tell(`waits for another process (${owner.pid} on ${owner.host}): ${owner.what}`),
  })
}
