/** The HTTP server: finds the route, runs it, turns errors into answers, measures and logs. */
import { randomUUID } from "node:crypto"
import { createServer } from "node:http"
import { withThread } from "./log.js"
import { Problem, notFound, unavailable } from "./problem.js"
import { createRouter } from "./router.js"

export function createHttpServer({ routes, lifecycle, metrics, log }) {
  const find = createRouter(routes)

  const answer = async (request) => {
    // Not `new URL(request.url, …)`: a path that begins with // would name a host there.
    const [path, search = ""] = request.url.split("?", 2)
    const found = find(request.method === "HEAD" ? "GET" : request.method, path)
    if (found?.allowed) {
      const result = problem(new Problem(405, "METHOD_NOT_ALLOWED", `Allowed here: ${found.allowed.join(", ")}`))
      return { uri: "METHOD_NOT_ALLOWED", result: { ...result, allow: found.allowed.join(", ") } }
    }
    if (!found) return { uri: "NOT_FOUND", result: problem(notFound(`There is nothing at ${path}`)) }
    const { route, params } = found
    // Probes and scrapes are not measured: there are many, and a /ready that says 503 is no failed request.
    const uri = route.operational ? undefined : route.pattern
    try {
      if (!route.operational && lifecycle.state() === "starting") throw unavailable("The service is starting")
      return { uri, result: await route.handle({ params, query: new URLSearchParams(search), request }) }
    } catch (error) {
      if (error instanceof Problem) return { uri, result: problem(error) }
      log.error(`${request.method} ${path} broke`, error)
      return { uri, result: problem(new Problem(500, "INTERNAL", "Something went wrong here; the log says what")) }
    }
  }

  const serve = async (request, response) => {
    const start = performance.now()
    const { uri, result } = await answer(request)
    send(request, response, result, lifecycle)
    const seconds = (performance.now() - start) / 1000
    const status = result.status ?? 200
    if (uri) metrics.request({ method: request.method, uri, status, seconds })
    log.debug(`${request.method} ${request.url} ${status} in ${(seconds * 1000).toFixed(1)} ms`)
  }

  const server = createServer((request, response) => {
    const id = requestId(request)
    response.setHeader("x-request-id", id)
    withThread(`http-${id}`, () =>
      serve(request, response).catch((error) => {
        log.error(`${request.method} ${request.url} could not be answered`, error)
        response.destroy()
      }),
    )
  })
  // Longer than a load balancer keeps idle connections (HAProxy's default is 60 s at most): it must never be us who
  // close a connection on which it is just sending a request.
  server.keepAliveTimeout = 75_000
  server.headersTimeout = 80_000
  server.requestTimeout = 30_000
  return server
}

const problem = (error) => ({ status: error.status, body: { error: { code: error.code, message: error.message } } })

function send(request, response, { status = 200, type = "application/json; charset=utf-8", body, location, allow }, lifecycle) {
  const bytes = body === undefined ? undefined : Buffer.from(typeof body === "string" ? body : JSON.stringify(body))
  // While draining, each answer tells its caller to take another connection, and thereby another instance.
  // The same when a body was refused before its end: what is left of it must not be read as the next request.
  if (lifecycle.state() === "draining" || !request.complete) response.setHeader("connection", "close")
  if (status === 503) response.setHeader("retry-after", "1")
  if (location) response.setHeader("location", location)
  if (allow) response.setHeader("allow", allow)
  if (bytes) {
    response.setHeader("content-type", type)
    response.setHeader("content-length", bytes.length)
  }
  response.writeHead(status)
  response.end(request.method === "HEAD" ? undefined : bytes)
}

function requestId(request) {
  const given = request.headers["x-request-id"]
  return typeof given === "string" && /^[\w-]{1,64}$/.test(given) ? given : randomUUID().slice(0, 8)
}
