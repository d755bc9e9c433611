import { join } from "node:path"
import { fault } from "../../core/errors.js"
import { withLock } from "../../core/lock.js"
import { engineContext, type ContextOptions } from "../../engine/context.js"
import { unlessMissing } from "../docker/scene.js"
import { taskContainer } from "../docker/tasks.js"
import { placeOf, serviceFolder, type Project } from "../places.js"
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
  const place = placeOf(project, environment)
  const file = join(serviceFolder(place, service), "migrate.lock")
  return withLock(file, `settle a migration of ${service} in ${environment}`, async () => {
    const open = (await readMigrations(place, service)).find((entry) => entry.status === "started")
    if (open === undefined) throw known(service, environment)
    const { docker } = engineContext(project.engine, options)
    const container = taskContainer({ place }, service, "migration")
    const left = await unlessMissing(docker.getContainer(container).inspect())
    if (left !== undefined) throw there(container, left.State.Running)
    const endedAt = new Date().toISOString()
    return recordMigration(place, service, { ...open, status: how, endedAt, note: `Said by a person: ${reason}` })
  })
}

function known(service: string, environment: string) {
  return fault({
    code: "MIGRATION-KNOWN",
    kind: "usage",
    message: `How the migrations of ${service} in ${environment} ended is known`,
    hint: `gantry env show ${environment} ${service}`,
  })
}

function there(container: string, running: boolean) {
  return fault({
    code: "MIGRATION-RUNS",
    kind: "usage",
    message: `The migration ${running ? "still runs" : "left its container"}: it is not for a person to say how it ended`,
    reason: `Container ${container}`,
    hint: "Deliver again, or `gantry resume`: its end is waited for and looked at.",
  })
}
