import { readHistory } from "../history.js"
import { conclude, settleOpen, watched } from "./end.js"
import { incompatibleFault } from "./faults.js"
import { readMigrations, recordMigration, type MigrationEntry } from "./journal.js"
import { migrationKey, task, type MigrateOptions } from "./spec.js"

export interface Migrated {
  /** False: this very content had been applied there before. */
  readonly applied: boolean
  /** When it had been applied, ISO 8601. */
  readonly at: string
}

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
  const { target, tell } = options
  await settleOpen(options)
  const key = migrationKey(options.migration)
  const since = await target.dataSince()
  const entry = (await readMigrations(target.notes)).find((e) => e.key === key)
  if (entry?.status !== "done") return undefined
  if (entry.database !== since) {
    tell(`the database of ${target.service} is another one than at ${entry.endedAt}: the migration runs again`)
    return undefined
  }
  tell(`the database has had this migration since ${entry.endedAt}: nothing to do`)
  return entry.endedAt
}

async function run(options: MigrateOptions): Promise<string> {
  const { target, release, migration, signal, tell, output } = options
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
    entry = await recordMigration(target.notes, { ...entry, startedAt: new Date().toISOString() })
  }
  const end = await watched(target, `…-${task}`, signal, () =>
    target.runOnce(release, work, { signal, output, starting }),
  )
  return conclude(options, entry, end)
}

/** A release that serves must not meet a schema that it cannot work with. Where nothing ran yet, nobody can. */
async function refuseIncompatible({ target, environment, migration }: MigrateOptions): Promise<void> {
  const { kind } = environment.strategy
  if (migration.compatible || kind === "blue-green") return
  if ((await readHistory(target.notes)).length === 0) return
  throw incompatibleFault(target, kind)
}

async function alone<T>({ target, release, signal, tell }: MigrateOptions, work: () => Promise<T>): Promise<T> {
  const what = `migrate ${target.service} in ${target.environment} for commit ${release.commit.slice(0, 12)}`
  return target.locks.hold("migrate", what, work, {
    signal,
    onWait: ({ by, what: busy }) => tell(`waits for another process (${by}): ${busy}`),
  })
}
