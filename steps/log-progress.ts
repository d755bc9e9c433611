import type { Progress } from "../core/progress.js"
import type { Log } from "../core/step.js"

/** Milliseconds between two lines about the same work. */
const pause = 15_000

/** Long work below the step (pulling, making an image) as lines of the step's log. */
export function logProgress(log: Log): Progress {
  return {
    task(title, options) {
      const began = Date.now()
      let said = began
      const expected = options?.expectedSeconds
      log.info(`${title} …${expected === undefined ? "" : ` (about ${expected} s)`}`)
      return {
        update(text, fraction) {
          if (Date.now() - said < pause) return
          said = Date.now()
          const share = fraction === undefined ? "" : `${Math.round(fraction * 100)} %, `
          log.info(`${title}: ${Math.round((said - began) / 1000)} s, ${share}${text}`)
        },
        log() {},
        done: (note) => log.info(`${title}: done${note === undefined ? "" : ` (${note})`}`),
        fail: (error) => log.warn(`${title}: ${error instanceof Error ? error.message : String(error)}`),
      }
    },
  }
}
