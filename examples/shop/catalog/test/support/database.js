import { loadConfig } from "../../src/config.js"
import { createPool } from "../../src/database.js"

const names = ["DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"]

/** The real database that the environment names. A missing variable is an error: these tests never pass without one. */
export function databaseEnv() {
  const missing = names.filter((name) => process.env[name] === undefined)
  if (missing.length > 0) throw new Error(`The integration tests need a MariaDB: set ${missing.join(", ")}`)
  return Object.fromEntries(names.map((name) => [name, process.env[name]]))
}

export const openPool = () => createPool(loadConfig(databaseEnv()).database)

/** Removes every table: each file starts from an empty database. */
export async function emptyDatabase(pool) {
  const [tables] = await pool.query("SELECT table_name AS name FROM information_schema.tables WHERE table_schema = DATABASE()")
  for (const { name } of tables) await pool.query("DROP TABLE IF EXISTS ??", [name])
}
