import type { Progress } from "../../core/progress.js"
import type { Log } from "../../core/step.js"

/** Long work below the step (pulling, making an image) as lines of the step's log. */
export function logProgress(log: Log): Progress {
  return {
    task(title, options) {
      const expected = options?.expectedSeconds
      log.info(`${title} …${expected === undefined ? "" : ` (about ${expected} s)`}`)
      return {
        update() {},
        log: (line) => log.write(`${line}\n`),
        done: (note) => log.info(`${title}: done${note === undefined ? "" : ` (${note})`}`),
        fail: (error) => log.warn(`${title}: ${error instanceof Error ? error.message : String(error)}`),
      }
    },
  }
}
