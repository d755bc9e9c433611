import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest"
import { migrate, readMigrations } from "../../src/migrate.js"
import { createProducts } from "../../src/products.js"
import { emptyDatabase, openPool } from "../support/database.js"
import { quiet } from "../support/service.js"

const pool = openPool()
const products = createProducts(pool)
const tea = { sku: "TEA-1", name: "龙井茶 🍵", priceCents: 9900, stock: 10 }

beforeAll(async () => {
  await emptyDatabase(pool)
  await migrate(pool, await readMigrations(fileURLToPath(new URL("../../migrations", import.meta.url))), quiet)
})
beforeEach(async () => {
  await pool.query("DELETE FROM products")
  await pool.query("DELETE FROM reservations")
  await products.create(tea)
})
afterAll(() => pool.end())

const stock = async () => (await products.get("TEA-1")).stock

test("a product comes back as it was made", async () => {
  expect(await products.get("TEA-1")).toEqual({ ...tea, createdAt: expect.any(Date) })
  await expect(products.create(tea)).rejects.toMatchObject({ status: 409, code: "SKU_TAKEN" })
  await expect(products.get("TEA-9")).rejects.toMatchObject({ status: 404 })
})

test("lists pages by SKU, without what is discontinued", async () => {
  for (const sku of ["C-03", "A-01", "B-02"]) await products.create({ ...tea, sku })
  await products.discontinue("TEA-1")
  await expect(products.discontinue("TEA-1")).rejects.toMatchObject({ status: 404 })
  expect(await products.list({ page: 1, size: 2 })).toMatchObject({ total: 3, items: [{ sku: "A-01" }, { sku: "B-02" }] })
  expect(await products.list({ page: 2, size: 2 })).toMatchObject({ items: [{ sku: "C-03" }] })
  await expect(products.reserve({ sku: "TEA-1", quantity: 1, reference: "order-0001" })).rejects.toMatchObject({ status: 404 })
})

test("a reservation that is asked for again takes stock once, also when none is left", async () => {
  const wanted = { sku: "TEA-1", quantity: 10, reference: "order-0001" }
  expect(await products.reserve(wanted)).toEqual({ ...wanted, repeated: false })
  expect(await products.reserve(wanted)).toEqual({ ...wanted, repeated: true })
  expect(await stock()).toBe(0)
  await expect(products.reserve({ ...wanted, quantity: 9 })).rejects.toMatchObject({ code: "REFERENCE_TAKEN" })
  await expect(products.reserve({ ...wanted, reference: "order-0002" })).rejects.toMatchObject({ code: "OUT_OF_STOCK" })
})

test("one reference for two things at once is a conflict, and costs no stock", async () => {
  await products.reserve({ sku: "TEA-1", quantity: 1, reference: "order-0001" })
  await expect(products.reserve({ sku: "TEA-1", quantity: 2, reference: "order-0001" })).rejects.toMatchObject({ code: "REFERENCE_TAKEN" })
  expect(await stock()).toBe(9)
})

test("forty buyers at once never sell more than there is", async () => {
  const results = await Promise.allSettled(
    Array.from({ length: 40 }, (_, n) => products.reserve({ sku: "TEA-1", quantity: 1, reference: `order-${1000 + n}` })),
  )
  expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(10)
  for (const { reason } of results.filter(({ status }) => status === "rejected")) expect(reason.code).toBe("OUT_OF_STOCK")
  expect(await stock()).toBe(0)
})

test("the same request from five connections at once counts once", async () => {
  const wanted = { sku: "TEA-1", quantity: 2, reference: "order-0001" }
  const answers = await Promise.all(Array.from({ length: 5 }, () => products.reserve(wanted)))
  expect(answers.filter(({ repeated }) => !repeated)).toHaveLength(1)
  expect(await stock()).toBe(8)
})

test("a release gives back once", async () => {
  await products.reserve({ sku: "TEA-1", quantity: 4, reference: "order-0001" })
  const releases = await Promise.allSettled([products.release("order-0001"), products.release("order-0001")])
  expect(releases.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"])
  expect(await stock()).toBe(10)
})
