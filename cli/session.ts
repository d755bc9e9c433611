import { createWriteStream, mkdirSync, type WriteStream } from "node:fs"
import { join } from "node:path"
import { setTimeout as pause } from "node:timers/promises"
import { fault, isFault, type Fault } from "../core/errors.js"
import type { SessionProvider } from "../core/session.js"
import { openStore } from "../core/store.js"
import type { Session } from "../engine/session/open.js"
import type { Settings } from "../steps/settings.js"
import { keepOne } from "./keep-one.js"
import type { View } from "../report/terminal.js"

/**
 * The Dagger session of a run: opened with the first step that wants it, opened anew when the engine was lost in between.
 * What the engine itself says goes to `.gantry/engine.log`.
 */
export function sessionFor(settings: Settings, view: View): SessionProvider {
  let logs: WriteStream | undefined

  const start = async (): Promise<Session> => {
    const { openSession } = await import("../engine/session/open.js")
    const { root } = openStore(settings.root)
    mkdirSync(root, { recursive: true })
    logs ??= createWriteStream(join(root, "engine.log"), { flags: "w" })
    logs.on("error", () => undefined) // A full disk shows at the journal; the engine's chatter is no reason to die.
    const { followedLog } = await import("../steps/exec-log.js")
    return openSession(settings.engine, { progress: view.progress, logs: followedLog(logs), workdir: settings.root })
  }
  const session = keepOne(start)
  return {
    open: async () => (await session.get()).dag,
    classify: (error) => classifyDagger(error),
    async close() {
      const current = await session.current()
      // A session whose engine is gone may find nobody to say goodbye to: the run is recorded, so it is not waited for.
      await Promise.race([current?.close(), pause(closeLimit, undefined, { ref: false })])
      logs?.end()
    },
  }
}

/** Milliseconds that closing the session may take. */
const closeLimit = 10_000

/** Fields of the SDK's ExecError (@dagger.io/dagger, common/errors/ExecError). */
interface ExecError extends Error {
  readonly cmd: readonly string[]
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** A command in a container that exited red said no (failed); a fault along the causes is what it is; the rest broke. */
export function classifyDagger(error: unknown): Fault | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (isFault(at)) return at
    if ("exitCode" in at && "cmd" in at) return execFault(at as ExecError)
  }
  if (!(error instanceof Error) || !("code" in error) || !/^D\d{3}$/.test(String(error.code))) return undefined
  return fault({
    code: "ENGINE-REQUEST",
    kind: "errored",
    message: error.message.split("\n")[0] ?? "The Dagger engine refused a request",
    reason: error.message,
    hint: "`gantry doctor` checks the engine; its own words are in .gantry/engine.log.",
    cause: error,
  })
}

function execFault(error: ExecError): Fault {
  const tail = (text: string) => text.trimEnd().split("\n").slice(-15).join("\n")
  const words = [tail(error.stdout), tail(error.stderr)].filter((text) => text !== "").join("\n")
  // 137: killed, which the work itself does not do; mostly out of memory. Negative: it never came to an exit code.
  const killed = error.exitCode === 137 || error.exitCode < 0
  return fault({
    code: killed ? "EXEC-KILLED" : "EXEC-FAILED",
    kind: killed ? "errored" : "failed",
    message: `${error.cmd.join(" ").slice(0, 200)} ${killed ? `was killed (exit code ${error.exitCode})` : `exited with ${error.exitCode}`}`,
    reason: words === "" ? "It said nothing." : words,
    hint: "The step's log has the whole output.",
    cause: error,
  })
}
