import { fault } from "../core/errors.js"
import { exitCodes } from "./exit.js"

/** Interrupted, asked to end, terminal closed. */
const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const

/**
 * The first of these signals: cancel, clean up, record. A second one: leave at once.
 * @returns the signal, and what removes the handlers again
 */
export function onInterrupt(say: (text: string) => void): {
  readonly signal: AbortSignal
  readonly release: () => void
} {
  const controller = new AbortController()
  const handle = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      say("Left at once. `gantry resume` goes on from what was recorded.")
      process.exit(exitCodes.interrupted)
    }
    say(`${name}: cancelling; once more to leave at once.`)
    controller.abort(fault({ code: "INTERRUPTED", kind: "cancelled", message: `Interrupted by ${name}` }))
  }
  for (const name of signals) process.on(name, handle)
  return {
    signal: controller.signal,
    release: () => {
      for (const name of signals) process.off(name, handle)
    },
  }
}
