import type { Progress } from "../../core/progress.js"

/** Plain lines on stderr, for whoever works on recipes. The command line has its own renderer. */
export function plainProgress(verbose: boolean): Progress {
  return {
    task(title, options) {
      const started = Date.now()
      const say = (text: string): void => {
        process.stderr.write(`${title}: ${text}\n`)
      }
      let shown = 0
      say(options?.expectedSeconds === undefined ? "…" : `… (about ${options.expectedSeconds} s)`)
      return {
        update(text, fraction) {
          if (Date.now() - shown < 5000) return
          shown = Date.now()
          say(fraction === undefined ? text : `${text} (${Math.round(fraction * 100)} %)`)
        },
        log(line) {
          if (verbose) say(`| ${line}`)
        },
        done(note) {
          say(`done in ${((Date.now() - started) / 1000).toFixed(1)} s${note === undefined ? "" : ` (${note})`}`)
        },
        fail(error) {
          say(`FAILED: ${error instanceof Error ? error.message : String(error)}`)
        },
      }
    },
  }
}
