import { mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterEach, beforeEach, expect, test } from "vitest"
import { readMigrations, splitStatements } from "../../src/migrate.js"

let folder
beforeEach(async () => (folder = await mkdtemp(join(tmpdir(), "migrations-"))))
afterEach(() => rm(folder, { recursive: true }))

test("the service's own migrations are numbered without a gap, and each can be repeated", async () => {
  const migrations = await readMigrations(fileURLToPath(new URL("../../migrations", import.meta.url)))
  expect(migrations.map(({ version }) => version)).toEqual(migrations.map((_, index) => index + 1))
  for (const { statements } of migrations) for (const statement of statements) expect(statement).toMatch(/IF (NOT )?EXISTS/)
})

test("files are read in order and remembered by their hash", async () => {
  await writeFile(join(folder, "002_b.sql"), "SELECT 2;")
  await writeFile(join(folder, "001_a.sql"), "SELECT 1;\nSELECT 11;")
  const migrations = await readMigrations(folder)
  expect(migrations).toMatchObject([
    { version: 1, name: "a", statements: ["SELECT 1", "SELECT 11"] },
    { version: 2, name: "b", statements: ["SELECT 2"] },
  ])
  expect(migrations[0].checksum).toMatch(/^[0-9a-f]{64}$/)
})

test("a strange name and a number that is taken are refused", async () => {
  await writeFile(join(folder, "001_a.sql"), "SELECT 1;")
  await writeFile(join(folder, "001_b.sql"), "SELECT 1;")
  await expect(readMigrations(folder)).rejects.toThrowError("001_b.sql: number 001 is taken already")
  await writeFile(join(folder, "001_b.sql.bak"), "")
  await rm(join(folder, "001_b.sql"))
  await expect(readMigrations(folder)).rejects.toThrowError("001_b.sql.bak: a migration is named like 001_products.sql")
})

test("comments go, a semicolon within a line stays", () => {
  expect(splitStatements("-- why\nINSERT INTO t VALUES ('a;b');\n\n  -- more\nSELECT 1;")).toEqual(["INSERT INTO t VALUES ('a;b')", "SELECT 1"])
})
