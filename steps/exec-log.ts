import { Writable } from "node:stream"

/**
 * Live output of commands in containers. The engine's API answers output when a command has ended; while it runs, only
 * the CLI's plain progress log has it:
 *
 *     63  : withExec sh /gantry/catalog.unit-tests (expect: ANY)
 *     63  : [0.1s] | line 1
 *
 * The number stands for the command, so a command that has a step's own marker among its arguments can be followed.
 */
type Follower = (line: string) => void

const followers = new Map<string, Set<Follower>>()

/** `63  : ┆ rest`: number and what stands behind it. */
const numbered = /^(\d+)\s*: (?:┆ )*(.*)$/
const output = /^\[[^\]]*\] \| ?(.*)$/

/** Calls `onLine` with each line of output of commands that have `marker` as an argument (no spaces in it). Answers how to stop. */
export function followExec(marker: string, onLine: Follower): () => void {
  const set = followers.get(marker) ?? new Set()
  followers.set(marker, set.add(onLine))
  return () => {
    set.delete(onLine)
    if (set.size === 0 && followers.get(marker) === set) followers.delete(marker)
  }
}

/** Reads the progress log of one session and serves the followers. */
export function execLogReader(): (text: string) => void {
  const markers = new Map<string, string>()
  let rest = ""
  return (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const [, number = "", words = ""] = numbered.exec(line.replace(/\r$/, "")) ?? []
      const said = output.exec(words)?.[1]
      if (said !== undefined) {
        for (const follower of followers.get(markers.get(number) ?? "") ?? []) follower(said)
      } else if (words.startsWith("withExec ")) {
        const marker = words.split(" ").find((word) => followers.has(word))
        if (marker !== undefined) markers.set(number, marker)
      }
    }
  }
}

/** The session's log as a stream: kept by `target`, read for the followers on the way. */
export function followedLog(target: Writable): Writable {
  const read = execLogReader()
  return new Writable({
    decodeStrings: false,
    write(chunk: string | Buffer, _encoding, done) {
      const text = String(chunk)
      read(text)
      target.write(text)
      done()
    },
  })
}
