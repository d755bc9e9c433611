/**
 * Prometheus metrics. Names and labels of the HTTP histogram are Micrometer's, so that one query (error rate, latency
 * percentiles) reads this service and the Spring services alike.
 */
import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from "prom-client"

export function createMetrics(identity) {
  const registry = new Registry()
  registry.setDefaultLabels({ application: identity.service })
  collectDefaultMetrics({ register: registry })

  const build = new Gauge({
    name: "shop_build_info",
    help: "Always 1; its labels say which build answers.",
    labelNames: ["version", "commit", "environment"],
    registers: [registry],
  })
  build.set({ version: identity.version, commit: identity.commit, environment: identity.environment }, 1)

  const requests = new Histogram({
    name: "http_server_requests_seconds",
    help: "Duration of HTTP requests in seconds.",
    labelNames: ["method", "uri", "status", "outcome"],
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers: [registry],
  })
  const reservations = new Counter({
    name: "catalog_reservations_total",
    help: "Stock reservations by result.",
    labelNames: ["result"],
    registers: [registry],
  })
  // From 0 on: of a counter that is born with its first error, no query sees that error.
  for (const result of ["reserved", "repeated", "refused", "released", "error"]) reservations.inc({ result }, 0)

  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    /** `uri` is the route's pattern, never the path itself: the number of series must stay bounded. */
    request: ({ method, uri, status, seconds }) => requests.observe({ method, uri, status, outcome: outcome(status) }, seconds),
    reservation: (result) => reservations.inc({ result }),
  }
}

function outcome(status) {
  if (status < 200) return "INFORMATIONAL"
  if (status < 300) return "SUCCESS"
  if (status < 400) return "REDIRECTION"
  return status < 500 ? "CLIENT_ERROR" : "SERVER_ERROR"
}
