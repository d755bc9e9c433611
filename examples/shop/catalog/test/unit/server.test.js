import { connect } from "node:net"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { afterEach, describe, expect, test } from "vitest"
import { call } from "../support/http.js"
import { memoryProducts, quiet, serve } from "../support/service.js"

const { version } = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"))
const tea = { sku: "TEA-1", name: "龙井茶", priceCents: 9900, stock: 3 }
let service
const start = async (options) => (service = await serve(options))
afterEach(() => service?.close())

describe("operation", () => {
  test("/health and /version say which build answers", async () => {
    const { base } = await start({ config: "shop: { environment: uat, banner: UAT }" })
    expect((await call(base, "GET", "/health")).body).toEqual({ status: "up", service: "service-catalog", version, commit: "c0ffee" })
    expect((await call(base, "GET", "/version")).body).toMatchObject({ commit: "c0ffee", environment: "uat", banner: "UAT", instance: "catalog-1" })
  })

  test("/ready follows the state and the database", async () => {
    let database = true
    const { base, lifecycle } = await start({ ready: false, checkReady: async () => database })
    expect(await call(base, "GET", "/ready")).toMatchObject({ status: 503, body: { status: "starting" } })
    expect((await call(base, "GET", "/api/products")).status).toBe(503)
    expect((await call(base, "GET", "/health")).status).toBe(200)
    lifecycle.ready()
    expect(await call(base, "GET", "/ready")).toMatchObject({ status: 200, body: { status: "ready" } })
    database = false
    expect(await call(base, "GET", "/ready")).toMatchObject({ status: 503, body: { status: "no database" } })
  })

  test("/metrics counts requests by the route's pattern, and leaves probes out", async () => {
    const { base } = await start({ products: memoryProducts([tea]) })
    await call(base, "GET", "/api/products/TEA-1")
    await call(base, "GET", "/api/products/NONE")
    await call(base, "GET", "/elsewhere")
    await call(base, "GET", "/ready")
    const { body } = await call(base, "GET", "/metrics")
    const count = (labels) => new RegExp(`http_server_requests_seconds_count\\{[^}]*${labels}[^}]*\\} (\\d+)`).exec(body)?.[1]
    expect(count('uri="/api/products/:sku",status="200",outcome="SUCCESS"')).toBe("1")
    expect(count('uri="/api/products/:sku",status="404",outcome="CLIENT_ERROR"')).toBe("1")
    expect(count('uri="NOT_FOUND",status="404"')).toBe("1")
    expect(count('uri="/ready"')).toBeUndefined()
    expect(body).toContain(`shop_build_info{version="${version}",commit="c0ffee",environment="local",application="service-catalog"} 1`)
  })
})

describe("products", () => {
  test("are created, read, listed in pages and discontinued", async () => {
    const { base } = await start({ config: "catalog: { page-size: 2 }" })
    for (const n of [3, 1, 2]) {
      const made = await call(base, "POST", "/api/products", { ...tea, sku: `TEA-${n}` })
      expect(made).toMatchObject({ status: 201, body: { sku: `TEA-${n}`, currency: "CNY" } })
      expect(made.headers.get("location")).toBe(`/api/products/TEA-${n}`)
    }
    const first = await call(base, "GET", "/api/products")
    expect(first.body).toMatchObject({ page: 1, size: 2, total: 3, items: [{ sku: "TEA-1" }, { sku: "TEA-2" }] })
    expect((await call(base, "GET", "/api/products?page=2")).body.items).toMatchObject([{ sku: "TEA-3" }])
    expect((await call(base, "GET", "/api/products?size=1&page=3")).body.items).toMatchObject([{ sku: "TEA-3" }])
    expect((await call(base, "DELETE", "/api/products/TEA-1")).status).toBe(204)
    expect(await call(base, "GET", "/api/products/TEA-1")).toMatchObject({ status: 404, body: { error: { code: "NOT_FOUND" } } })
  })

  test("tell of low stock only where the feature is on", async () => {
    const off = await start({ products: memoryProducts([tea]) })
    expect((await call(off.base, "GET", "/api/products/TEA-1")).body).not.toHaveProperty("lowStock")
    await off.close()
    const on = await start({ products: memoryProducts([tea]), config: "catalog: { features: { low-stock-hint: true }, low-stock-threshold: 3 }" })
    expect((await call(on.base, "GET", "/api/products/TEA-1")).body.lowStock).toBe(true)
  })

  test.each([
    ["a small letter in the SKU", { ...tea, sku: "tea-1" }, "sku"],
    ["no name", { ...tea, name: undefined }, "name"],
    ["a negative price", { ...tea, priceCents: -1 }, "priceCents"],
    ["half a piece", { ...tea, stock: 1.5 }, "stock"],
    ["a list", [], "JSON object"],
    ["broken JSON", "{", "not JSON"],
  ])("%s is refused", async (_, body, named) => {
    const { base } = await start()
    const answer = await call(base, "POST", "/api/products", body)
    expect(answer).toMatchObject({ status: 400, body: { error: { code: "INVALID", message: expect.stringContaining(named) } } })
  })

  test.each(["page=0", "page=x", "size=0", "size=101", "size=1.5"])("?%s is refused", async (query) => {
    const { base } = await start()
    expect((await call(base, "GET", `/api/products?${query}`)).status).toBe(400)
  })

  test("a body that is too large is refused", async () => {
    const { base } = await start()
    const answer = await call(base, "POST", "/api/products", { ...tea, name: "x".repeat(70_000) })
    expect(answer).toMatchObject({ status: 413, body: { error: { code: "TOO_LARGE" } } })
  })
})

describe("reservations", () => {
  const reserve = (base, reference, quantity) => call(base, "POST", "/api/products/TEA-1/reservations", { reference, quantity })

  test("take stock once per reference, and give it back", async () => {
    const { base } = await start({ products: memoryProducts([tea]) })
    expect(await reserve(base, "order-0001", 2)).toMatchObject({ status: 201, body: { repeated: false } })
    expect(await reserve(base, "order-0001", 2)).toMatchObject({ status: 200, body: { repeated: true } })
    expect(await reserve(base, "order-0002", 2)).toMatchObject({ status: 409, body: { error: { code: "OUT_OF_STOCK" } } })
    expect((await call(base, "DELETE", "/api/reservations/order-0001")).status).toBe(204)
    expect((await call(base, "DELETE", "/api/reservations/order-0001")).status).toBe(404)
    const { body } = await call(base, "GET", "/metrics")
    for (const result of ["reserved", "repeated", "refused", "released"]) {
      expect(body).toContain(`catalog_reservations_total{result="${result}",application="service-catalog"} 1`)
    }
  })

  test("with a reference or a quantity that cannot be are refused", async () => {
    const { base } = await start({ products: memoryProducts([tea]) })
    expect((await reserve(base, "short", 1)).status).toBe(400)
    expect((await reserve(base, "order-0001", 0)).status).toBe(400)
  })
})

describe("the server", () => {
  test("says which methods a path has", async () => {
    const { base } = await start()
    const answer = await call(base, "PUT", "/api/products")
    expect(answer.status).toBe(405)
    expect(answer.headers.get("allow")).toBe("GET, POST")
  })

  test("answers HEAD like GET without a body", async () => {
    const { base } = await start()
    const answer = await call(base, "HEAD", "/health")
    expect(answer).toMatchObject({ status: 200, body: "" })
    expect(Number(answer.headers.get("content-length"))).toBeGreaterThan(0)
  })

  test("an error inside becomes a 500 without details, and a log line with them", async () => {
    const errors = []
    const products = { list: () => Promise.reject(new Error("the password is hunter2")) }
    const { base } = await start({ products, log: { ...quiet, error: (message, error) => errors.push([message, error.message]) } })
    const answer = await call(base, "GET", "/api/products")
    expect(answer).toMatchObject({ status: 500, body: { error: { code: "INTERNAL" } } })
    expect(JSON.stringify(answer.body)).not.toContain("hunter2")
    expect(errors).toEqual([["GET /api/products broke", "the password is hunter2"]])
  })

  test("keeps a caller's request id when it is harmless, and makes one otherwise", async () => {
    const { base } = await start()
    expect((await call(base, "GET", "/health", undefined, { "x-request-id": "abc-1" })).headers.get("x-request-id")).toBe("abc-1")
    expect((await call(base, "GET", "/health", undefined, { "x-request-id": "a b" })).headers.get("x-request-id")).toMatch(/^[0-9a-f]{8}$/)
  })

  test("answers several requests over one connection, and paths that are no URL", async () => {
    const { base } = await start()
    const socket = connect(Number(new URL(base).port), "127.0.0.1")
    let text = ""
    socket.setEncoding("utf8").on("data", (chunk) => (text += chunk))
    for (const path of ["/health", "//", "/%zz", "/api/products/%zz"]) socket.write(`GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`)
    socket.write("GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
    await once(socket, "close")
    expect([...text.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)).toEqual(["200", "404", "404", "404", "200"])
  })
})
