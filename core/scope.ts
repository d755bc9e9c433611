import { fault, type Fault } from "./errors.js"
import { forMany } from "./within.js"

/** The time an attempt has: ends with the run's signal or by its own timeout. */
export interface Scope {
  readonly signal: AbortSignal
  /** Waits for the work; once the signal is aborted only for `grace` more, so that work which ignores it cannot hang the run. */
  race<T>(work: Promise<T>): Promise<T>
  /** Starts the clock of the timeout. @param timeout Milliseconds; undefined: no limit. */
  limit(timeout: number | undefined): void
  /** The fault of the timeout once it has expired. */
  timedOut(): Fault | undefined
  end(): void
}

/** Milliseconds that work may take to stop after it was told to. */
export const defaultGrace = 10_000

/** setTimeout's limit; what is longer would fire at once. */
const longest = 2 ** 31 - 1

/** @param what Subject of the timeout's message, e.g. "catalog.unit-tests". @param grace Milliseconds. */
export function createScope(parent: AbortSignal | undefined, what: string, grace = defaultGrace): Scope {
  const controller = new AbortController()
  let expired: Fault | undefined
  let clock: NodeJS.Timeout | undefined
  const forward = () => controller.abort(parent?.reason)
  if (parent?.aborted === true) forward()
  else forMany(parent)?.addEventListener("abort", forward, { once: true })
  return {
    signal: forMany(controller.signal),
    async race(work) {
      let timer: NodeJS.Timeout | undefined
      let leave = () => {}
      const left = new Promise<never>((_, reject) => {
        leave = () => {
          timer = setTimeout(() => reject(controller.signal.reason as Error), grace)
        }
      })
      if (controller.signal.aborted) leave()
      else controller.signal.addEventListener("abort", leave, { once: true })
      try {
        return await Promise.race([work, left])
      } finally {
        controller.signal.removeEventListener("abort", leave)
        clearTimeout(timer)
      }
    },
    limit(timeout) {
      if (timeout === undefined) return
      clock = setTimeout(
        () => {
          if (controller.signal.aborted) return
          expired = timeoutFault(what, timeout)
          controller.abort(expired)
        },
        Math.min(timeout, longest),
      )
    },
    timedOut: () => expired,
    end() {
      clearTimeout(clock)
      parent?.removeEventListener("abort", forward)
    },
  }
}

function timeoutFault(what: string, timeout: number): Fault {
  return fault({
    code: "STEP-TIMEOUT",
    kind: "errored",
    message: `${what} did not end within ${timeout / 1000} s`,
    hint: "Its log shows what it waited for. Raise the step's timeout if it needs longer.",
  })
}
