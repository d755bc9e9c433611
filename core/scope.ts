import { fault, type Fault } from "./errors.js"

/** The time an attempt has: ends with the run's signal or by its own timeout. */
export interface Scope {
  readonly signal: AbortSignal
  /** Waits for the work; once the signal is aborted only for `grace` more, so that work which ignores it cannot hang the run. */
  race<T>(work: Promise<T>): Promise<T>
  timedOut(): boolean
  timeoutFault(): Fault
  end(): void
}

/** Milliseconds that work may take to stop after it was told to. */
const grace = 10_000

export function createScope(parent: AbortSignal, timeout: number | undefined, what: string): Scope {
  const controller = new AbortController()
  let expired = false
  const forward = () => controller.abort(parent.reason)
  if (parent.aborted) forward()
  else parent.addEventListener("abort", forward, { once: true })
  const timer =
    timeout === undefined
      ? undefined
      : setTimeout(() => {
          expired = true
          controller.abort(timeoutFault())
        }, timeout)
  const timeoutFault = () =>
    fault({
      code: "STEP-TIMEOUT",
      kind: "errored",
      message: `${what} did not end within ${(timeout ?? 0) / 1000} s`,
      hint: "Its log shows what it waited for. Raise the step's timeout if it needs longer.",
    })
  return {
    signal: controller.signal,
    timedOut: () => expired,
    timeoutFault,
    race(work) {
      let timer: NodeJS.Timeout | undefined
      const left = new Promise<never>((_, reject) => {
        const leave = () => {
          timer = setTimeout(() => reject(controller.signal.reason as Error), grace)
        }
        if (controller.signal.aborted) leave()
        else controller.signal.addEventListener("abort", leave, { once: true })
      })
      return Promise.race([work, left]).finally(() => clearTimeout(timer))
    },
    end() {
      clearTimeout(timer)
      parent.removeEventListener("abort", forward)
    },
  }
}
