import { isRefusal } from "./not-made.js"

/**
 * Right after a change, what the cluster says may still be about what was before: its controllers look one after the other,
 * each within moments. Seconds.
 */
export const momentSeconds = 3
/** How long what may pass by itself is waited out: a webhook that cannot be asked, a store that is slow. Seconds. */
const passingSeconds = 60

/**
 * Believes what the cluster says of pods that it does not make when it says so again and again: hand it every look's word (undefined:
 * nothing is said), it answers the word once something has been said for long enough.
 */
export function lasting(): (said: string | undefined) => string | undefined {
  let since: number | undefined
  return (said) => {
    since = said === undefined ? undefined : (since ?? performance.now())
    if (said === undefined || since === undefined) return undefined
    const seconds = isRefusal(said) ? momentSeconds : passingSeconds
    return performance.now() - since >= seconds * 1000 ? said : undefined
  }
}
