import { serve } from "@hono/node-server"
import { Hono } from "hono"
import type { AddressInfo } from "node:net"
import { describe, expect, it, onTestFinished } from "vitest"
import { prometheusClient } from "../../../clients/prometheus/index.js"

/** Answers as the HTTP API does (https://prometheus.io/docs/prometheus/2.53/querying/api/), or as something else would. */
async function fake(...answers: Response[]) {
  const asked: { path: string; form: URLSearchParams }[] = []
  const app = new Hono()
  app.all("*", async (c) => {
    asked.push({ path: new URL(c.req.url).pathname, form: new URLSearchParams(await c.req.text()) })
    return (answers.length > 1 ? answers.shift() : answers[0])?.clone() ?? new Response("", { status: 500 })
  })
  const server = serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" })
  await new Promise((resolve) => server.once("listening", resolve))
  onTestFinished(() => new Promise<void>((resolve) => void server.close(() => resolve())))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { asked, client: prometheusClient({ url: `${url}/prom/`, policy: { backoff: 1 } }) }
}
const json = (body: unknown, status = 200) => Response.json(body, { status })
const data = (resultType: string, result: unknown) => json({ status: "success", data: { resultType, result } })
const vector = (...values: string[]) =>
  data(
    "vector",
    values.map((value) => ({ metric: {}, value: [1764144000.1, value] })),
  )
const { signal } = new AbortController()

describe("Prometheus' answers", () => {
  it.each<[string, Response, number | undefined]>([
    ["a number", vector("0.042"), 0.042],
    ["in scientific notation", vector("1.5e-05"), 0.000015],
    ["a scalar", data("scalar", [1764144000.1, "1764144000.1"]), 1764144000.1],
    ["nothing", vector(), undefined],
    ["NaN", vector("NaN"), undefined],
    ["infinity", vector("+Inf"), undefined],
  ])("%s", async (_, answer, expected) => {
    const { client, asked } = await fake(answer)
    expect(await client.query("sum(x)", signal, 1764144000.5)).toBe(expected)
    expect(asked[0]?.path).toBe("/prom/api/v1/query")
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({ query: "sum(x)", time: "1764144000.500", timeout: "5s" })
  })

  const refused = (errorType: string, error: string, status: number) =>
    json({ status: "error", errorType, error }, status)
  it.each<[string, Response, string, string, RegExp]>([
    ["no PromQL", refused("bad_data", "1:5: parse error", 400), "METRICS-QUERY", "usage", /1:5: parse error\nsum\(x\)/],
    ["not to be evaluated", refused("execution", "many-to-many", 422), "METRICS-QUERY", "usage", /many-to-many/],
    ["several series", vector("1", "2"), "METRICS-QUERY", "usage", /2 series/],
    ["a range", data("matrix", []), "METRICS-QUERY", "usage", /over time/],
    ["too slow", refused("timeout", "query timed out", 503), "METRICS-UNREACHABLE", "errored", /timed out/],
    ["a login page", new Response("<html>Login</html>"), "METRICS-UNREACHABLE", "errored", /HTTP 200: <html>/],
    ["another server", new Response("not found", { status: 404 }), "METRICS-UNREACHABLE", "errored", /HTTP 404/],
    ["another shape", json({ status: "success", data: {} }), "METRICS-UNREACHABLE", "errored", /HTTP 200/],
  ])("%s is an error", async (_, answer, code, kind, reason) => {
    const { client } = await fake(answer)
    await expect(client.query("sum(x)", signal)).rejects.toMatchObject({
      code,
      kind,
      reason: expect.stringMatching(reason) as string,
    })
  })

  it("are asked for again while it starts", async () => {
    const { client, asked } = await fake(new Response("Service Unavailable", { status: 503 }), vector("7"))
    expect(await client.query("x", signal)).toBe(7)
    expect(asked).toHaveLength(2)
  })

  it("that nobody gives are an error, and no number", async () => {
    const client = prometheusClient({ url: "http://127.0.0.1:1", hint: "docker logs it", policy: { backoff: 1 } })
    await expect(client.query("x", signal)).rejects.toMatchObject({
      code: "METRICS-UNREACHABLE",
      hint: "docker logs it",
    })
    expect(await client.isReady(signal)).toBe(false)
  })

  it("are waited for no longer than the caller does", async () => {
    const { client } = await fake(vector("1"))
    const reason = new Error("cancelled")
    await expect(client.query("x", AbortSignal.abort(reason))).rejects.toBe(reason)
    await expect(client.isReady(AbortSignal.abort(reason))).rejects.toBe(reason)
  })
})
