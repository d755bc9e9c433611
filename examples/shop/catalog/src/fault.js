/**
 * Builds that are bad on purpose, so that a rollout which takes itself back can be seen: the image is built with
 * SHOP_FAULT `errors` (every other request is answered with 500), `slow` (1.5 s more), `never-ready` or `dies` (a minute after
 * the start; `dies:5` after five seconds), in every environment or in one: `errors@prod`.
 */
import { setTimeout as delay } from "node:timers/promises"
import { Problem } from "./problem.js"

const kinds = ["errors", "slow", "never-ready", "dies"]

/** Which fault shows itself here: `{ kind, seconds }`, or undefined. Throws when the text is none. */
export function readFault(text, environment) {
  if (!text) return undefined
  const [, kind, seconds = "60", only] = /^([a-z-]+)(?::(\d+))?(?:@([a-z0-9-]+))?$/.exec(text) ?? []
  if (!kinds.includes(kind)) throw new Error(`SHOP_FAULT: must be one of ${kinds.join(", ")}, with @environment or without`)
  return only === undefined || only === environment ? { kind, seconds: Number(seconds) } : undefined
}

/** Routes with the fault in them. `exit` ends the process. */
export function withFault(fault, routes, exit = (code) => process.exit(code)) {
  if (fault === undefined) return routes
  if (fault.kind === "dies") setTimeout(() => exit(70), fault.seconds * 1000).unref()
  let asked = 0
  return routes.map((route) => {
    if (route.operational) {
      return fault.kind === "never-ready" && route.pattern === "/ready"
        ? { ...route, handle: () => ({ status: 503, body: { status: "never ready" } }) }
        : route
    }
    return {
      ...route,
      handle: async (call) => {
        if (fault.kind === "slow") await delay(1500)
        if (fault.kind === "errors" && asked++ % 2 === 0) throw new Problem(500, "FAULT", "This build is bad on purpose")
        return route.handle(call)
      },
    }
  })
}
