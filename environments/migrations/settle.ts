import { fault } from "../../core/errors.js"
import type { ContextOptions } from "../../engine/context.js"
import type { Project } from "../places.js"
import { viewOf } from "../targets/view-of.js"
import { readMigrations, recordMigration, type MigrationEntry } from "./journal.js"

/**
 * A person who looked at the database says how a migration ended whose end nobody saw (MIGRATION-UNKNOWN).
 * @param how `failed`: it runs again next time
 * @throws MIGRATION-KNOWN when there is nothing to say, MIGRATION-RUNS while it still runs
 */
export async function settleMigration(
  project: Project,
  environment: string,
  service: string,
  how: "done" | "failed",
  reason: string,
  options: ContextOptions = {},
): Promise<MigrationEntry> {
  const view = await viewOf(project, environment, options)
  const { notes, locks } = view.memory(service)
  const { signal } = new AbortController()
  const settle = async () => {
    const open = (await readMigrations(notes)).find((entry) => entry.status === "started")
    if (open === undefined) throw known(service, environment)
    const left = await view.leftTask(service, "migration")
    if (left !== undefined) throw there(left.name, left.running)
    const endedAt = new Date().toISOString()
    return recordMigration(notes, { ...open, status: how, endedAt, note: `Said by a person: ${reason}` })
  }
  return locks.hold("migrate", `settle a migration of ${service} in ${environment}`, settle, { signal })
}

function known(service: string, environment: string) {
  return fault({
    code: "MIGRATION-KNOWN",
    kind: "usage",
    message: `How the migrations of ${service} in ${environment} ended is known`,
    hint: `gantry env show ${environment} ${service}`,
  })
}

function there(name: string, running: boolean) {
  return fault({
    code: "MIGRATION-RUNS",
    kind: "usage",
    message: `The migration ${running ? "still runs" : "left something behind"}: it is not for a person to say how it ended`,
    reason: name,
    hint: "Deliver again, or `gantry resume`: its end is waited for and looked at.",
  })
}
