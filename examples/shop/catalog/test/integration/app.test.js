import { createServer } from "node:net"
import { once } from "node:events"
import { afterAll, beforeAll, expect, test } from "vitest"
import { createApp } from "../../src/app.js"
import { loadConfig } from "../../src/config.js"
import { call, until } from "../support/http.js"
import { databaseEnv, emptyDatabase, openPool } from "../support/database.js"

const pool = openPool()
beforeAll(() => emptyDatabase(pool))
afterAll(() => pool.end())

const settings = (env = {}) => {
  const config = loadConfig({ ...databaseEnv(), ...env })
  return { ...config, port: 0, shutdown: { drainSeconds: 0, graceSeconds: 2 } }
}

test("from an empty database to a sold product", async () => {
  const lines = []
  const app = createApp(settings(), (line) => lines.push(line))
  const base = `http://127.0.0.1:${await app.listen()}`
  await app.prepare()
  expect(await call(base, "GET", "/ready")).toMatchObject({ status: 200 })
  await call(base, "POST", "/api/products", { sku: "TEA-1", name: "茶", priceCents: 100, stock: 2 })
  expect(await call(base, "POST", "/api/products/TEA-1/reservations", { reference: "order-0001", quantity: 1 })).toMatchObject({ status: 201 })
  expect((await call(base, "GET", "/api/products/TEA-1")).body.stock).toBe(1)
  expect(await app.stop()).toBe(true)
  expect(lines.join("")).toContain("Migration 3 (discontinued) applied")
  expect(lines.join("")).toContain("Reserved 1 of TEA-1 for order-0001")
})

test("waits for a database that comes later, and is not ready until then", async () => {
  // A port that is ours but answers no MariaDB protocol; the tests' database takes its place afterwards.
  const gate = createServer((socket) => socket.destroy())
  gate.listen(0, "127.0.0.1")
  await once(gate, "listening")
  const { port } = gate.address()
  const lines = []
  const app = createApp(settings({ DB_HOST: "127.0.0.1", DB_PORT: String(port) }), (line) => lines.push(line))
  const base = `http://127.0.0.1:${await app.listen()}`
  const prepared = app.prepare()
  await until("it says that the database is missing", () => lines.join(""), (text) => text.includes("does not answer"))
  expect(await call(base, "GET", "/ready")).toMatchObject({ status: 503, body: { status: "starting" } })
  gate.close()
  await once(gate, "close")
  const forward = forwardTo(databaseEnv())
  forward.listen(port, "127.0.0.1")
  await prepared
  expect(await call(base, "GET", "/ready")).toMatchObject({ status: 200 })
  await app.stop()
  forward.close()
})

test("a stop while it still waits for the database ends the waiting", async () => {
  const app = createApp(settings({ DB_HOST: "127.0.0.1", DB_PORT: "1" }), () => {})
  await app.listen()
  const prepared = app.prepare()
  expect(await app.stop()).toBe(true)
  await prepared
  expect(app.state()).toBe("stopped")
})

/** Passes bytes on to the real database. */
function forwardTo({ DB_HOST, DB_PORT }) {
  return createServer(async (socket) => {
    const { connect } = await import("node:net")
    const upstream = connect(Number(DB_PORT), DB_HOST)
    for (const end of [socket, upstream]) end.on("error", () => (socket.destroy(), upstream.destroy()))
    socket.pipe(upstream).pipe(socket)
  })
}
