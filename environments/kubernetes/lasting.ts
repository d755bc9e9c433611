/**
 * Right after a change, what the cluster says may still be about what was before: its controllers look one after the other,
 * each within moments. What is said for so long is meant. Seconds.
 */
const momentSeconds = 3

/**
 * Believes what is said again and again: hand it every look's word (undefined: nothing is said), it answers the word once one has
 * been there for a moment.
 */
export function lasting(seconds = momentSeconds): (said: string | undefined) => string | undefined {
  let since: number | undefined
  return (said) => {
    since = said === undefined ? undefined : (since ?? performance.now())
    return since !== undefined && performance.now() - since >= seconds * 1000 ? said : undefined
  }
}
