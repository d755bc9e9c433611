/**
 * Migrates and exits: what a deployment runs before any instance of this version starts. Exit code 0: the schema is what this
 * version needs. An instance that starts later finds nothing left to do.
 */
import { loadConfig } from "./config.js"
import { createPool } from "./database.js"
import { createLog } from "./log.js"
import { migrate, migrationsFolder, readMigrations } from "./migrate.js"

const config = loadConfig()
const log = createLog({ ...config.identity, level: config.logLevel })("catalog.Migrations")
const pool = createPool(config.database)
try {
  const applied = await migrate(pool, await readMigrations(migrationsFolder), log)
  log.info(applied.length === 0 ? "The schema is up to date" : `Applied: ${applied.join(", ")}`)
} catch (error) {
  log.error("The database could not be migrated", error)
  process.exitCode = 1
} finally {
  await pool.end()
}
