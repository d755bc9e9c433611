import { once } from "node:events"

/** Listens on a free loopback port; answers the base URL. */
export async function listen(server) {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return `http://127.0.0.1:${server.address().port}`
}

/** One request; answers `{ status, headers, body }` with the body parsed when it is JSON. */
export async function call(base, method, path, body, headers = {}) {
  const response = await fetch(`${base}${path}`, {
    method,
    headers: { "content-type": "application/json", ...headers },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    signal: AbortSignal.timeout(30_000),
  })
  const text = await response.text()
  const json = response.headers.get("content-type")?.startsWith("application/json")
  return { status: response.status, headers: response.headers, body: json && text ? JSON.parse(text) : text }
}

/** Asks until `condition(await ask())` holds; throws after `seconds` with what it saw last. */
export async function until(what, ask, condition, seconds = 60) {
  const end = Date.now() + seconds * 1000
  let last
  do {
    try {
      last = await ask()
      if (condition(last)) return last
    } catch (error) {
      last = error
    }
    await new Promise((resolve) => setTimeout(resolve, 25))
  } while (Date.now() < end)
  throw new Error(`${what}: not within ${seconds} s; last seen: ${last instanceof Error ? last.message : JSON.stringify(last)}`)
}
