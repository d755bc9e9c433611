import { setMaxListeners } from "node:events"

/**
 * A signal that any number of works may listen to at the same time: each takes its listener away when it ends, and Node would
 * warn of a leak from the eleventh on, in the middle of what people read.
 */
export function forMany<T extends AbortSignal | undefined>(signal: T): T {
  if (signal !== undefined) setMaxListeners(0, signal)
  return signal
}

/**
 * The signal for work that begins now. One that has fired is for what was under way then: whoever begins anything afterwards goes
 * back, and that is not to be interrupted.
 */
export const unfired = (signal: AbortSignal | undefined): AbortSignal | undefined =>
  signal?.aborted === true ? undefined : signal

/** Work that did not end within its time; `code` as Node's own errors of the network have it. */
export class TimeoutError extends Error {
  readonly code = "ETIMEDOUT"
}

/**
 * Does work that has to end within a time. `AbortSignal.timeout` does not do for it: its timer does not hold the process,
 * so that one whose only work was an answer that never came ended without a word; and joined with another signal by
 * `AbortSignal.any` it may be collected before it fires (https://github.com/nodejs/node/issues/57736).
 * @param work is given a signal that fires when the time is over or `signal` does. What heeds neither is left behind.
 * @throws TimeoutError when the time is over; the reason of `signal`; what the work throws
 */
export async function within<T>(
  milliseconds: number,
  signal: AbortSignal | undefined,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const stop = new AbortController()
  const give = () => stop.abort(signal?.reason)
  forMany(signal)?.addEventListener("abort", give, { once: true })
  const timer = setTimeout(() => stop.abort(new TimeoutError(`no answer within ${milliseconds} ms`)), milliseconds)
  const over = new Promise<never>((_, reject) => {
    stop.signal.addEventListener("abort", () => reject(stop.signal.reason as Error), { once: true })
  })
  try {
    return await Promise.race([work(stop.signal), over])
  } catch (error) {
    // What the work makes of its signal says less than why it was given.
    throw stop.signal.aborted ? stop.signal.reason : error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener("abort", give)
  }
}

/**
 * Holds the process while the work lasts. A connection on which nothing has been read yet does not, and undici's first
 * answer waits for WebAssembly that is compiled beside it: on a busy machine Node ended in between, with exit code 13
 * (https://github.com/nodejs/node/issues/36616).
 */
export async function holding<T>(work: () => Promise<T>): Promise<T> {
  const hold = setInterval(() => undefined, 60_000)
  try {
    return await work()
  } finally {
    clearInterval(hold)
  }
}
