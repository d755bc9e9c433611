import { Writable } from "node:stream"

/** How long the live log may stand still behind the end of what it is about: it comes by another way, and later. Milliseconds. */
export const lag = 500

/**
 * Live output of commands in containers. The engine's API answers output when a command has ended; while it runs, only
 * the CLI's plain progress log has it:
 *
 *     63  : withExec sh /gantry/catalog.unit-tests (expect: ANY)
 *     63  : [0.1s] | line 1
 *
 * The number stands for the command, so a command that has a step's own marker among its arguments can be followed.
 */
interface Follower {
  /** Whether a command, as the log shows it, is meant. */
  matches(command: string): boolean
  onLine(line: string): void
}

const followers = new Set<Follower>()

/** `63  : ┆ rest`: number and what stands behind it. */
const numbered = /^(\d+)\s*: (?:┆ )*(.*)$/
const output = /^\[[^\]]*\] \| ?(.*)$/

/**
 * Calls `onLine` with each line of output of commands that have `marker` as an argument (no spaces in it).
 * Answers how to stop.
 */
export function followExec(marker: string, onLine: (line: string) => void): () => void {
  return follow({ matches: (command) => command.split(" ").includes(marker), onLine })
}

/**
 * The same for the RUN commands of a Dockerfile, which carry no marker: they are told by their words. Two builds that run
 * the same command at the same time both get the lines of both.
 */
export function followBuild(dockerfile: string, onLine: (line: string) => void): () => void {
  const commands = runCommands(dockerfile)
  const matches = (command: string) => {
    const [, text] = /^withExec \/bin\/sh -c '?(.*)$/.exec(command) ?? []
    return text !== undefined && commands.some((known) => squeeze(text).startsWith(known))
  }
  return follow({ matches, onLine })
}

function follow(follower: Follower): () => void {
  followers.add(follower)
  return () => void followers.delete(follower)
}

const squeeze = (text: string) => text.replace(/\s+/g, " ").trim()

/** How the shell commands of RUN instructions begin, up to the first character that the log may show otherwise. */
function runCommands(dockerfile: string): string[] {
  const joined = dockerfile.replace(/\\\r?\n/g, " ")
  return [...joined.matchAll(/^\s*RUN\s+((?:--\S+\s+)*)([^\n]+)/gim)]
    .map(([, , command = ""]) => squeeze(command.split(/['"\\]/)[0] ?? "").slice(0, 60))
    .filter((command) => command.length >= 3 && !/^(\[|<<)/.test(command))
}

/** Reads the progress log of one session and serves the followers. */
export function execLogReader(): (text: string) => void {
  const byNumber = new Map<string, readonly Follower[]>()
  let rest = ""
  return (text) => {
    const lines = (rest + text).split("\n")
    rest = lines.pop() ?? ""
    for (const line of lines) {
      const [, number = "", words = ""] = numbered.exec(line.replace(/\r$/, "")) ?? []
      const said = output.exec(words)?.[1]
      if (said !== undefined) {
        for (const follower of byNumber.get(number) ?? []) if (followers.has(follower)) follower.onLine(said)
      } else if (words.startsWith("withExec ")) {
        // The CLI says again what a number stands for: what ended belongs to nobody who comes later, as an attempt that
        // runs the same command does.
        const before = byNumber.get(number)
        if (before !== undefined && !before.some((follower) => followers.has(follower))) continue
        const meant = [...followers].filter((follower) => follower.matches(words))
        if (meant.length > 0) byNumber.set(number, meant)
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
