import { fault } from "../core/errors.js"
import { exitCodes } from "./exit.js"

/**
 * First SIGINT or SIGTERM: cancel, clean up, record. Second SIGINT: leave at once.
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
  process.on("SIGINT", handle)
  process.on("SIGTERM", handle)
  return {
    signal: controller.signal,
    release: () => {
      process.off("SIGINT", handle)
      process.off("SIGTERM", handle)
    },
  }
}
