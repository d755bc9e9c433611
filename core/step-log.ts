import type { Masker } from "./mask.js"

/** The writer of one step's log. */
export interface StepLog {
  /** Raw output, in any pieces. */
  write(chunk: string): void
  /** A line of its own. */
  line(text: string): void
  /** Lets go what was held back: the last line without an end, the start of a secret that did not follow. */
  end(): void
}

/** A tool that never ends its line (a progress bar) is cut into lines of so many characters. */
const longestLine = 64 * 1024

/** Cuts output into lines and masks them. `lines` gets whole, masked lines without their ends. */
export function createStepLog(masker: Masker, lines: (lines: readonly string[]) => void): StepLog {
  const stream = masker.stream()
  let rest = ""
  const add = (text: string) => {
    if (text === "") return
    const parts = (rest + text).split(/\r?\n/)
    rest = parts.pop() ?? ""
    if (rest.length > longestLine) {
      parts.push(rest)
      rest = ""
    }
    if (parts.length > 0) lines(parts)
  }
  const end = () => {
    add(stream.flush())
    if (rest !== "") add("\n")
  }
  return {
    write: (chunk) => add(stream.push(chunk)),
    line(text) {
      end()
      add(masker.text(text) + "\n")
    },
    end,
  }
}
