import { Agent, createServer, request } from "node:http"
import { once } from "node:events"
import { expect, test } from "vitest"
import { createLifecycle } from "../../src/lifecycle.js"
import { call, listen, until } from "../support/http.js"
import { quiet, serve } from "../support/service.js"

const ask = (base, agent, path = "/health") =>
  new Promise((resolve, reject) => {
    const sent = request(`${base}${path}`, { agent }, (response) => response.resume().on("end", () => resolve(response)))
    sent.on("error", reject).end()
  })

test("while draining it is not ready but answers, and asks callers to take another connection", async () => {
  const waited = []
  let drained
  const wait = (milliseconds) => new Promise((resolve) => waited.push(milliseconds) && (drained = resolve))
  const { base, lifecycle, server } = await serve({ wait })
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  expect((await ask(base, agent)).headers.connection).toBe("keep-alive")
  const stopped = lifecycle.stop(server, { drainSeconds: 7, graceSeconds: 20 })
  const ready = await ask(base, agent, "/ready")
  expect([ready.statusCode, ready.headers.connection]).toEqual([503, "close"])
  expect((await ask(base, agent, "/api/products")).statusCode).toBe(200)
  drained()
  expect(await stopped).toBe(true)
  expect(waited).toEqual([7_000])
  expect(lifecycle.state()).toBe("stopped")
  await expect(ask(base, agent)).rejects.toThrowError(/ECONNREFUSED/)
})

test("an idle connection does not hold it up", async () => {
  const { base, lifecycle, server } = await serve()
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  await ask(base, agent)
  // Clean means: it did not take the whole grace.
  expect(await lifecycle.stop(server, { drainSeconds: 0, graceSeconds: 20 })).toBe(true)
})

test("a running request may end within the grace", async () => {
  let finish
  const products = { list: () => new Promise((resolve) => (finish = () => resolve({ items: [], total: 0 }))) }
  const { base, lifecycle, server } = await serve({ products })
  const answer = call(base, "GET", "/api/products")
  await until("the request arrives", () => finish, Boolean)
  const stopped = lifecycle.stop(server, { drainSeconds: 0, graceSeconds: 20 })
  await until("the server is closed", () => server.listening, (listening) => !listening)
  finish()
  expect((await answer).status).toBe(200)
  expect(await stopped).toBe(true)
})

test("what does not end within the grace is cut off", async () => {
  const server = createServer(() => {})
  const base = await listen(server)
  const lifecycle = createLifecycle(quiet)
  const cut = expect(ask(base)).rejects.toThrowError(/socket hang up|ECONNRESET/)
  await once(server, "request")
  expect(await lifecycle.stop(server, { drainSeconds: 0, graceSeconds: 0.05 })).toBe(false)
  await cut
})

test("stopping twice is stopping once, and a service that stops does not become ready", async () => {
  const { lifecycle, server } = await serve({ ready: false })
  const first = lifecycle.stop(server, { drainSeconds: 0, graceSeconds: 1 })
  expect(lifecycle.stop(server, { drainSeconds: 9, graceSeconds: 9 })).toBe(first)
  lifecycle.ready()
  expect(lifecycle.state()).toBe("draining")
  await first
})
