/** Finds the handler of a request: `{ method, pattern: "/api/products/:sku", handle }`. */

export function createRouter(routes) {
  const compiled = routes.map((route) => ({ ...route, parts: route.pattern.split("/") }))

  /** Answers `{ route, params }`, or `{ allowed }` when the path exists with other methods, or undefined. */
  return (method, path) => {
    const segments = path.split("/")
    const allowed = []
    for (const route of compiled) {
      const params = match(route.parts, segments)
      if (!params) continue
      if (route.method === method) return { route, params }
      allowed.push(route.method)
    }
    return allowed.length > 0 ? { allowed } : undefined
  }
}

function match(parts, segments) {
  if (parts.length !== segments.length) return undefined
  const params = {}
  for (const [index, part] of parts.entries()) {
    if (!part.startsWith(":")) {
      if (part !== segments[index]) return undefined
      continue
    }
    const value = decode(segments[index])
    if (!value) return undefined
    params[part.slice(1)] = value
  }
  return params
}

function decode(segment) {
  try {
    return decodeURIComponent(segment)
  } catch {
    return undefined
  }
}
