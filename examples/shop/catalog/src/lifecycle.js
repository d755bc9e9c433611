/**
 * The states of the service: starting → ready → draining → stopped, and the way down.
 * Draining still answers every request; only /ready says 503, so that load balancers take the instance out first.
 */
import { setTimeout as delay } from "node:timers/promises"

/** `wait(milliseconds)` is the clock of the draining; a test gives its own. */
export function createLifecycle(log, wait = delay) {
  let state = "starting"
  let stopping

  return {
    state: () => state,

    ready() {
      if (state === "starting") state = "ready"
    },

    /**
     * Drains for `drainSeconds`, then takes no new connections and lets running requests end within `graceSeconds`.
     * Answers whether all ended by themselves. Asking again answers the same promise.
     */
    stop(server, { drainSeconds, graceSeconds }) {
      stopping ??= (async () => {
        state = "draining"
        log.info(`Draining: not ready from now on, still serving for ${drainSeconds} s`)
        await wait(drainSeconds * 1000)
        const clean = await close(server, graceSeconds * 1000)
        state = "stopped"
        if (!clean) log.warn(`Requests were still running after ${graceSeconds} s of grace; their connections were closed`)
        return clean
      })()
      return stopping
    },
  }
}

async function close(server, graceMs) {
  const timer = new AbortController()
  // Ends when the last connection has ended; idle ones are closed at once.
  const closed = new Promise((resolve) => server.close(() => resolve(true)))
  server.closeIdleConnections()
  const clean = await Promise.race([closed, delay(graceMs, false, { signal: timer.signal }).catch(() => false)])
  timer.abort()
  if (!clean) {
    server.closeAllConnections()
    await closed
  }
  return clean
}
