/** What the service answers, path by path. A handler gets `{ params, query, request }` and answers `{ status, body }`. */
import { newProduct, newReservation, paging, readJson } from "./body.js"
import { Problem } from "./problem.js"

/**
 * `operational` routes answer in every state of the service; the others only once it has started.
 * `checkReady` answers whether the database can be reached now.
 */
export function createRoutes({ config, products, metrics, lifecycle, checkReady, log }) {
  const { service, version, commit, environment, banner, instance } = config.identity
  const shown = (product) =>
    config.features.lowStockHint
      ? { ...product, currency: config.currency, lowStock: product.stock <= config.lowStockThreshold }
      : { ...product, currency: config.currency }

  const operational = [
    get("/health", () => ({ body: { status: "up", service, version, commit } })),
    get("/version", () => ({ body: { service, version, commit, environment, banner, instance } })),
    get("/ready", async () => {
      const state = lifecycle.state()
      if (state !== "ready") return { status: 503, body: { status: state } }
      return (await checkReady()) ? { body: { status: "ready" } } : { status: 503, body: { status: "no database" } }
    }),
    get("/metrics", async () => ({ type: metrics.contentType, body: await metrics.text() })),
  ]

  const business = [
    get("/api/products", async ({ query }) => {
      const page = paging(query, config)
      const { items, total } = await products.list(page)
      return { body: { items: items.map(shown), ...page, total } }
    }),
    get("/api/products/:sku", async ({ params }) => ({ body: shown(await products.get(params.sku)) })),
    route("POST", "/api/products", async ({ request }) => {
      const product = await products.create(newProduct(await readJson(request)))
      log.info(`Product ${product.sku} created with a stock of ${product.stock}`)
      return { status: 201, body: shown(product), location: `/api/products/${product.sku}` }
    }),
    route("DELETE", "/api/products/:sku", async ({ params }) => {
      await products.discontinue(params.sku)
      log.info(`Product ${params.sku} discontinued`)
      return { status: 204 }
    }),
    route("POST", "/api/products/:sku/reservations", async ({ params, request }) => {
      const wanted = { sku: params.sku, ...newReservation(await readJson(request)) }
      try {
        const reservation = await products.reserve(wanted)
        metrics.reservation(reservation.repeated ? "repeated" : "reserved")
        log.info(`Reserved ${wanted.quantity} of ${wanted.sku} for ${wanted.reference}${reservation.repeated ? " (asked again)" : ""}`)
        return { status: reservation.repeated ? 200 : 201, body: reservation }
      } catch (error) {
        metrics.reservation(error instanceof Problem ? "refused" : "error")
        throw error
      }
    }),
    route("DELETE", "/api/reservations/:reference", async ({ params }) => {
      await products.release(params.reference)
      metrics.reservation("released")
      log.info(`Reservation ${params.reference} released`)
      return { status: 204 }
    }),
  ]

  return [...operational.map((one) => ({ ...one, operational: true })), ...business]
}

const route = (method, pattern, handle) => ({ method, pattern, handle })
const get = (pattern, handle) => route("GET", pattern, handle)
