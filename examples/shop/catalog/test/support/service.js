import { createLifecycle } from "../../src/lifecycle.js"
import { createMetrics } from "../../src/metrics.js"
import { conflict, notFound } from "../../src/problem.js"
import { createRoutes } from "../../src/routes.js"
import { createHttpServer } from "../../src/server.js"
import { loadConfig } from "../../src/config.js"
import { listen } from "./http.js"

export const quiet = { trace() {}, debug() {}, info() {}, warn() {}, error() {} }

/** Products in memory, with the behaviour that the HTTP layer relies on. */
export function memoryProducts(initial = []) {
  const products = new Map(initial.map((product) => [product.sku, { ...product }]))
  const reservations = new Map()
  const get = async (sku) => products.get(sku) ?? Promise.reject(notFound(`There is no product ${sku}`))
  return {
    get,
    async list({ page, size }) {
      const all = [...products.values()].sort((a, b) => a.sku.localeCompare(b.sku))
      return { items: all.slice((page - 1) * size, page * size), total: all.length }
    },
    async create(product) {
      if (products.has(product.sku)) throw conflict("SKU_TAKEN", "taken")
      products.set(product.sku, product)
      return product
    },
    async discontinue(sku) {
      if (!products.delete(sku)) throw notFound(`There is no product ${sku}`)
    },
    async reserve({ sku, quantity, reference }) {
      if (reservations.has(reference)) return { sku, quantity, reference, repeated: true }
      const product = await get(sku)
      if (product.stock < quantity) throw conflict("OUT_OF_STOCK", "too few")
      product.stock -= quantity
      reservations.set(reference, { sku, quantity })
      return { sku, quantity, reference, repeated: false }
    },
    async release(reference) {
      if (!reservations.delete(reference)) throw notFound(`There is no reservation ${reference}`)
    },
  }
}

/** A served HTTP layer over the given products; `config` is the text of a configuration file. */
export async function serve({ products = memoryProducts(), config = "", checkReady = async () => true, log = quiet, ready = true, wait } = {}) {
  const settings = loadConfig({ GANTRY_CONFIG: "/config", GANTRY_COMMIT: "c0ffee", INSTANCE_ID: "catalog-1" }, () => config)
  const lifecycle = createLifecycle(quiet, wait)
  const metrics = createMetrics(settings.identity)
  const routes = createRoutes({ config: settings, products, metrics, lifecycle, checkReady, log })
  const server = createHttpServer({ routes, lifecycle, metrics, log })
  if (ready) lifecycle.ready()
  const base = await listen(server)
  return { base, server, lifecycle, close: () => lifecycle.stop(server, { drainSeconds: 0, graceSeconds: 0 }) }
}
