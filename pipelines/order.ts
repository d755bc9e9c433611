import { fault } from "../core/errors.js"
import type { Service } from "../steps/service.js"

/** Services, each behind the ones it calls. @throws SERVICE-CYCLE with the whole path */
export function inCallOrder(services: readonly Service[]): readonly Service[] {
  const sorted: Service[] = []
  const visit = (service: Service, path: readonly string[]) => {
    if (sorted.includes(service)) return
    if (path.includes(service.name)) {
      throw fault({
        code: "SERVICE-CYCLE",
        kind: "usage",
        message: `Services call each other in a circle: ${[...path.slice(path.indexOf(service.name)), service.name].join(" → ")}`,
        hint: "A delivery has to begin somewhere: leave one of these out of `calls`.",
      })
    }
    for (const name of service.calls) {
      const called = services.find((s) => s.name === name)
      if (called !== undefined) visit(called, [...path, service.name])
    }
    sorted.push(service)
  }
  for (const service of services) visit(service, [])
  return sorted
}
