import { isFault } from "../../core/errors.js"
import { isLost, type TaskEnd, type TaskLost } from "../task.js"
import { cancelledFault, failedFault, unknownFault, type Where } from "./faults.js"
import { readMigrations, recordMigration, type MigrationEntry } from "./journal.js"
import { migrationKey, task, type MigrateOptions } from "./spec.js"

/**
 * Finds out how a migration ended that a killed process began, and waits for that where it has to.
 * @throws MIGRATION-UNKNOWN when its container is gone, MIGRATION-FAILED, MIGRATION-TIMEOUT, MIGRATION-CANCELLED
 */
export async function settleOpen(options: MigrateOptions): Promise<void> {
  const { target, tell, signal, output, migration } = options
  const left = await target.findTask(task)
  const open = (await readMigrations(target.notes)).find((e) => e.status === "started")
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
    await recordMigration(target.notes, notBegun(open, "whoever wanted it was killed before."))
    return target.removeTask(task)
  }
  tell(
    left.state === "running"
      ? `a migration of commit ${open.commit.slice(0, 12)} still runs in ${left.container}: its end is waited for`
      : `a migration of commit ${open.commit.slice(0, 12)} ended in ${left.container} while nobody watched`,
  )
  const end = await wait(open.timeoutSeconds)
  if (isLost(end) && !end.begun) {
    // Nothing has happened, and what kept it from beginning may be over.
    const { message, reason } = await letGo(options, open, end)
    tell(`it never began: ${message}${reason === undefined ? "" : `: ${reason}`}`)
    return
  }
  await conclude(options, open, end).catch((error: unknown) => {
    // Another release's failure is no reason to refuse this one, which may be the remedy.
    if (!isFault(error) || error.kind !== "failed" || open.key === migrationKey(migration)) throw error
    tell(`that one failed: ${error.reason?.split("\n")[0] ?? error.message}`)
  })
}

/**
 * Writes down how it ended, and only then lets go of its container.
 * @throws MIGRATION-FAILED, MIGRATION-TIMEOUT, MIGRATION-UNKNOWN when it was lost on the way, and where it never began, why
 */
export async function conclude(
  options: MigrateOptions,
  entry: MigrationEntry,
  end: TaskEnd | TaskLost,
): Promise<string> {
  if (isLost(end)) throw await letGo(options, entry, end)
  const { target, tell, keepLog } = options
  const endedAt = new Date().toISOString()
  const failed = end.timedOut || end.exitCode !== 0
  await keepLog("migration.log", end.log)
  const failure = failed ? failedFault(target, entry, end) : undefined
  await recordMigration(target.notes, {
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

/** Of one without an end of its own. What may have begun stays written down as that: a person is to say how it ended. */
async function letGo({ target, keepLog }: MigrateOptions, entry: MigrationEntry, { begun, cause, log }: TaskLost) {
  if (log.trim() !== "") await keepLog("migration.log", log)
  if (!begun) await recordMigration(target.notes, notBegun(entry, cause.reason?.split("\n")[0] ?? cause.message))
  await target.removeTask(task)
  return begun ? unknownFault(target, entry, cause.reason ?? cause.message) : cause
}

const notBegun = (entry: MigrationEntry, why: string): MigrationEntry => ({
  ...entry,
  status: "failed",
  endedAt: new Date().toISOString(),
  note: `It never began: ${why}`,
})

/** Whoever stops waiting is told where it goes on. */
export async function watched<T>(
  where: Where,
  container: string,
  signal: AbortSignal,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (isFault(error) || !signal.aborted) throw error
    throw cancelledFault(where, container, error)
  }
}
