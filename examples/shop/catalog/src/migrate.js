/**
 * Brings the schema to what this version needs. Rules that make a rolling release possible:
 * - expand/contract: a migration only adds what the running version can ignore; what is taken away goes one release later;
 * - MariaDB commits each DDL statement by itself, so every statement can be repeated (`IF NOT EXISTS`);
 * - several instances may start at once: one migrates, the others wait for its lock;
 * - a schema that is newer than this version is accepted: after a rollback that is the normal case.
 */
import { createHash } from "node:crypto"
import { readFile, readdir } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"

const fileName = /^(\d{3})_([a-z0-9_]+)\.sql$/
export const migrationsFolder = fileURLToPath(new URL("../migrations", import.meta.url))
const lockName = "catalog.schema_migrations"

/** The numbered files of a folder in order: `{ version, name, checksum, statements }`. Throws on a strange name or a number twice. */
export async function readMigrations(folder) {
  const migrations = []
  for (const file of (await readdir(folder)).sort()) {
    const match = fileName.exec(file)
    if (!match) throw new Error(`${file}: a migration is named like 001_products.sql`)
    const text = await readFile(join(folder, file), "utf8")
    const version = Number(match[1])
    if (migrations.some((other) => other.version === version)) throw new Error(`${file}: number ${match[1]} is taken already`)
    migrations.push({ version, name: match[2], checksum: createHash("sha256").update(text).digest("hex"), statements: splitStatements(text) })
  }
  return migrations
}

/** Statements end with a semicolon at the end of a line; comment lines are left out. */
export function splitStatements(text) {
  return text
    .split("\n")
    .filter((line) => !line.trimStart().startsWith("--"))
    .join("\n")
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "")
}

/** Applies what is missing and answers the applied versions. Throws when an applied file was changed afterwards. */
export async function migrate(pool, migrations, log, lockSeconds = 60) {
  const connection = await pool.getConnection()
  try {
    const [[lock]] = await connection.query("SELECT GET_LOCK(?, ?) AS taken", [lockName, lockSeconds])
    if (lock.taken !== 1) throw new Error(`another instance has been migrating for ${lockSeconds} s`)
    try {
      return await applyMissing(connection, migrations, log)
    } finally {
      await connection.query("SELECT RELEASE_LOCK(?)", [lockName])
    }
  } finally {
    connection.release()
  }
}

async function applyMissing(connection, migrations, log) {
  await connection.query(`CREATE TABLE IF NOT EXISTS schema_migrations (
    version INT NOT NULL PRIMARY KEY,
    name VARCHAR(200) NOT NULL,
    checksum CHAR(64) NOT NULL,
    applied_at TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3)
  )`)
  const [rows] = await connection.query("SELECT version, checksum FROM schema_migrations")
  const known = new Map(rows.map((row) => [row.version, row.checksum]))
  const newest = migrations.at(-1)?.version ?? 0
  const ahead = rows.filter((row) => row.version > newest)
  if (ahead.length > 0) log.warn(`The schema is ${ahead.length} migration(s) ahead of this version, as after a rollback`)

  const applied = []
  for (const { version, name, checksum, statements } of migrations) {
    if (known.has(version)) {
      if (known.get(version) !== checksum) throw new Error(`migration ${version} (${name}) was changed after it had been applied`)
      continue
    }
    const start = performance.now()
    for (const statement of statements) await connection.query(statement)
    await connection.query("INSERT INTO schema_migrations (version, name, checksum) VALUES (?, ?, ?)", [version, name, checksum])
    log.info(`Migration ${version} (${name}) applied in ${Math.round(performance.now() - start)} ms`)
    applied.push(version)
  }
  return applied
}
