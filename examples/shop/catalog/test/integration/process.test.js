import { spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { expect, onTestFinished, test } from "vitest"
import { call, until } from "../support/http.js"
import { databaseEnv, emptyDatabase, openPool } from "../support/database.js"
import { startLoad } from "../support/load.js"

const folder = fileURLToPath(new URL("../..", import.meta.url))

/** The service as a process of its own. Its port is read from its log. */
function run(env, file = "src/main.js") {
  const child = spawn(process.execPath, [file], { cwd: folder, env: { PATH: process.env.PATH, ...env } })
  let output = ""
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding("utf8").on("data", (chunk) => (output += chunk))
  const exit = once(child, "exit")
  onTestFinished(() => void child.kill("SIGKILL"))
  const base = async () => {
    await until("it listens", () => /listens on port (\d+)/.exec(output)?.[1], Boolean)
    return `http://127.0.0.1:${/listens on port (\d+)/.exec(output)[1]}`
  }
  return { child, base, output: () => output, code: async () => (await exit)[0] }
}

test("SIGTERM under load: not ready at once, no request fails, exit code 0", async () => {
  const service = run({ ...databaseEnv(), PORT: "0", GANTRY_CONFIG: fileURLToPath(new URL("../support/application.yml", import.meta.url)) })
  const base = await service.base()
  await until("it is ready", () => call(base, "GET", "/ready"), ({ status }) => status === 200)

  const load = startLoad(`${base}/api/products?size=1`, { connections: 8 })
  await until("the load runs", () => load.count(), (count) => count > 100)
  service.child.kill("SIGTERM")
  await until("it is not ready", () => call(base, "GET", "/ready"), ({ status, body }) => status === 503 && body.status === "draining")
  const atDrain = load.count()
  await until("it still serves", () => load.count(), (count) => count > atDrain + 10)
  // What a load balancer does that has seen /ready: no new requests to this instance.
  const result = await load.stop()
  expect(result.failures).toEqual([])
  expect(await service.code()).toBe(0)
  expect(service.output()).toContain("[catalog.App] - Stopped")
})

test("a wrong configuration ends it with exit code 2, naming the field", async () => {
  const service = run({ ...databaseEnv(), PORT: "no" })
  expect(await service.code()).toBe(2)
  expect(service.output()).toContain("PORT: must be a port")
})

test("a port in use ends it with exit code 1, saying so", async () => {
  const first = run({ ...databaseEnv(), PORT: "0" })
  const port = new URL(await first.base()).port
  const second = run({ ...databaseEnv(), PORT: port })
  expect(await second.code()).toBe(1)
  expect(second.output()).toMatch(/The port cannot be used[\s\S]*EADDRINUSE/)
})

test("migrates as a process of its own, and once more changes nothing", async () => {
  const pool = openPool()
  await emptyDatabase(pool)
  await pool.end()
  const first = run(databaseEnv(), "src/migrate-once.js")
  expect(await first.code()).toBe(0)
  expect(first.output()).toContain("Applied: 1, 2, 3")
  const second = run(databaseEnv(), "src/migrate-once.js")
  expect(await second.code()).toBe(0)
  expect(second.output()).toContain("The schema is up to date")
})

test("a database that cannot be reached ends the migration with exit code 1", async () => {
  const migration = run({ ...databaseEnv(), DB_PASSWORD: "wrong" }, "src/migrate-once.js")
  expect(await migration.code()).toBe(1)
  expect(migration.output()).toContain("The database could not be migrated")
})
