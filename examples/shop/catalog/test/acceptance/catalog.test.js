/**
 * Black box: what a buyer and an operator can see of a deployed catalog, at BASE_URL.
 * GANTRY_ENVIRONMENT and GANTRY_COMMIT say who must answer. What a test makes it takes off sale again.
 */
import { randomUUID } from "node:crypto"
import { afterEach, describe, expect, test } from "vitest"
import { call } from "../support/http.js"

const given = (name, variable = name) => {
  const value = process.env[variable]
  if (!value) throw new Error(`The acceptance tests need ${name}`)
  return value
}
const base = given("BASE_URL", "ACCEPTANCE_URL").replace(/\/$/, "")
const environment = given("GANTRY_ENVIRONMENT")
const commit = given("GANTRY_COMMIT")

const made = []
afterEach(async () => {
  for (const sku of made.splice(0)) await call(base, "DELETE", `/api/products/${sku}`)
})

async function newProduct(stock) {
  const sku = `ACCEPTANCE-${randomUUID().slice(0, 8).toUpperCase()}`
  const answer = await call(base, "POST", "/api/products", { sku, name: "验收测试", priceCents: 1250, stock })
  expect(answer.status).toBe(201)
  made.push(sku)
  return sku
}
const reserve = (sku, quantity, reference = randomUUID()) =>
  call(base, "POST", `/api/products/${sku}/reservations`, { reference, quantity })

describe("the deployment", () => {
  test("the right commit answers for the right environment, from every instance that is asked", async () => {
    for (let n = 0; n < 10; n++) {
      const { body } = await call(base, "GET", "/version")
      expect(body).toMatchObject({ service: "service-catalog", commit, environment })
      expect(body.banner).toMatch(/黑科易购/)
    }
  })

  test("it is ready and tells its metrics", async () => {
    expect((await call(base, "GET", "/ready")).status).toBe(200)
    expect((await call(base, "GET", "/health")).body).toMatchObject({ status: "up", commit })
    expect((await call(base, "GET", "/metrics")).body).toContain("shop_build_info")
  })
})

describe("a buyer", () => {
  test("finds a product by its SKU and in the list", async () => {
    const sku = await newProduct(3)
    expect(await call(base, "GET", `/api/products/${sku}`)).toMatchObject({ status: 200, body: { sku, priceCents: 1250, stock: 3, currency: "CNY" } })
    const seen = []
    for (let page = 1; ; page++) {
      const { body } = await call(base, "GET", `/api/products?page=${page}&size=50`)
      seen.push(...body.items.map((item) => item.sku))
      if (page * 50 >= body.total) break
    }
    expect(seen).toContain(sku)
    expect([...seen].sort()).toEqual(seen)
  })

  test("cannot buy more than there is, and pays once for asking twice", async () => {
    const sku = await newProduct(3)
    const reference = randomUUID()
    expect((await reserve(sku, 2, reference)).status).toBe(201)
    expect((await reserve(sku, 2, reference)).status).toBe(200)
    expect(await reserve(sku, 2)).toMatchObject({ status: 409, body: { error: { code: "OUT_OF_STOCK" } } })
    expect((await call(base, "DELETE", `/api/reservations/${reference}`)).status).toBe(204)
    expect((await call(base, "GET", `/api/products/${sku}`)).body.stock).toBe(3)
  })

  test("sees no product that is off sale", async () => {
    const sku = await newProduct(1)
    expect((await call(base, "DELETE", `/api/products/${sku}`)).status).toBe(204)
    made.length = 0
    expect((await call(base, "GET", `/api/products/${sku}`)).status).toBe(404)
    expect((await reserve(sku, 1)).status).toBe(404)
  })

  test("gets a clear answer to nonsense", async () => {
    expect(await call(base, "POST", "/api/products", "{")).toMatchObject({ status: 400, body: { error: { code: "INVALID" } } })
    expect((await call(base, "GET", "/api/products?size=0")).status).toBe(400)
    expect((await call(base, "GET", "/nowhere")).status).toBe(404)
  })
})
