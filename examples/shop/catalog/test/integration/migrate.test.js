import { fileURLToPath } from "node:url"
import { afterAll, beforeEach, expect, test } from "vitest"
import { migrate, readMigrations } from "../../src/migrate.js"
import { emptyDatabase, openPool } from "../support/database.js"
import { quiet } from "../support/service.js"

const pool = openPool()
const migrations = await readMigrations(fileURLToPath(new URL("../../migrations", import.meta.url)))
beforeEach(() => emptyDatabase(pool))
afterAll(() => pool.end())

const versions = async () => (await pool.query("SELECT version FROM schema_migrations ORDER BY version"))[0].map((row) => row.version)

test("an empty database gets everything, a second time nothing", async () => {
  expect(await migrate(pool, migrations, quiet)).toEqual([1, 2, 3])
  expect(await versions()).toEqual([1, 2, 3])
  expect(await migrate(pool, migrations, quiet)).toEqual([])
})

test("of five instances that start at once, one migrates", async () => {
  const pools = Array.from({ length: 5 }, openPool)
  try {
    const applied = await Promise.all(pools.map((one) => migrate(one, migrations, quiet)))
    expect(applied.filter((list) => list.length > 0)).toEqual([[1, 2, 3]])
  } finally {
    await Promise.all(pools.map((one) => one.end()))
  }
})

test("a migration that broke half-way is completed by the next start", async () => {
  const broken = [...migrations.slice(0, 2), { ...migrations[2], statements: [...migrations[2].statements, "SELECT nonsense"] }]
  await expect(migrate(pool, broken, quiet)).rejects.toThrowError(/nonsense/)
  expect(await versions()).toEqual([1, 2])
  expect(await migrate(pool, migrations, quiet)).toEqual([3])
})

test("a file that was changed after it had been applied is refused", async () => {
  await migrate(pool, migrations, quiet)
  const changed = migrations.map((one) => (one.version === 2 ? { ...one, checksum: "0".repeat(64) } : one))
  await expect(migrate(pool, changed, quiet)).rejects.toThrowError("migration 2 (reservations) was changed")
})

test("an older version accepts a newer schema, and says so", async () => {
  await migrate(pool, migrations, quiet)
  const warnings = []
  expect(await migrate(pool, migrations.slice(0, 2), { ...quiet, warn: (line) => warnings.push(line) })).toEqual([])
  expect(warnings).toEqual([expect.stringContaining("1 migration(s) ahead")])
})

test("an instance that waits too long for the lock gives up", async () => {
  const holder = await pool.getConnection()
  await holder.query("SELECT GET_LOCK('catalog.schema_migrations', 5)")
  await expect(migrate(pool, migrations, quiet, 0)).rejects.toThrowError("another instance has been migrating")
  await holder.query("SELECT RELEASE_LOCK('catalog.schema_migrations')")
  holder.release()
})
