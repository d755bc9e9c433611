import { spawn, type ChildProcess } from "node:child_process"
import { createInterface } from "node:readline"
import type { Writable } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import { daggerVersion } from "../dagger-version.js"
import { lastLines } from "../exec.js"

/** A running `dagger session`: the CLI that speaks with the engine, and serves GraphQL on a port of loopback. */
export interface CliSession {
  readonly port: number
  readonly token: string
  /** Settles when the CLI has ended, with its last words. */
  readonly ended: Promise<string>
  /** `lost`: there is no engine to say goodbye to. */
  close(lost?: boolean): Promise<void>
}

export interface CliOptions {
  readonly binary: string
  /** Address of the engine, `unix://…` and others. */
  readonly runnerHost: string
  readonly workdir: string
  /** Gets the CLI's progress lines. Never stdout, which belongs to data. */
  readonly logs: Writable
  readonly signal?: AbortSignal | undefined
  readonly startMs?: number
}

/**
 * Starts a session of the CLI. It ends when this process ends, however that happens: its stdin is a pipe of ours, and
 * the CLI leaves when that closes. Errors: ENGINE-CONNECT with the CLI's last words.
 */
export async function startCli(options: CliOptions): Promise<CliSession> {
  const child = spawn(
    options.binary,
    [
      "session",
      "--workdir",
      options.workdir,
      "--label",
      "dagger.io/sdk.name:nodejs",
      "--label",
      `dagger.io/sdk.version:${daggerVersion}`,
    ],
    {
      stdio: ["pipe", "pipe", "pipe"],
      // A group of its own: Ctrl-C of the terminal is for Gantry, which closes the session in good order.
      detached: true,
      env: {
        ...process.env,
        _EXPERIMENTAL_DAGGER_RUNNER_HOST: options.runnerHost,
        DAGGER_PROGRESS: "plain",
        DO_NOT_TRACK: "1",
        DAGGER_NO_NAG: "1",
        NO_COLOR: "1",
      },
    },
  )
  let tail = ""
  child.stderr.setEncoding("utf8")
  child.stderr.on("data", (text: string) => {
    tail = (tail + text).slice(-20_000)
    options.logs.write(text)
  })
  child.stdin.on("error", () => {
    // It has ended; `ended` says so.
  })
  const ended = new Promise<string>((resolve) => {
    child.on("error", (error) => resolve(error.message))
    child.on("close", (code, signal) =>
      resolve(`the Dagger CLI ended (${signal ?? `exit code ${code}`})\n${lastLines(tail, 8)}`),
    )
  })
  const parameters = await Promise.race([
    firstLine(child),
    ended.then((words) => connectFault(options.runnerHost, words)),
    sleep(options.startMs ?? 60_000, undefined, { ref: false }).then(() =>
      connectFault(
        options.runnerHost,
        `no session within ${(options.startMs ?? 60_000) / 1000} s\n${lastLines(tail, 8)}`,
      ),
    ),
    aborted(options.signal),
  ])
  if (parameters instanceof Error) {
    await stop(child, ended, true)
    throw parameters
  }
  return { ...parameters, ended, close: (lost = false) => stop(child, ended, lost) }
}

function aborted(signal: AbortSignal | undefined): Promise<Error> {
  return new Promise((resolve) => {
    const tell = (): void =>
      resolve(
        fault({ code: "ENGINE-CANCELLED", kind: "cancelled", message: "Interrupted while connecting to the engine" }),
      )
    if (signal?.aborted === true) tell()
    else signal?.addEventListener("abort", tell, { once: true })
  })
}

/** The CLI's first line on stdout: {"port": 1234, "session_token": "…"}. */
function firstLine(child: ChildProcess): Promise<{ port: number; token: string }> {
  return new Promise((resolve) => {
    if (child.stdout === null) return
    createInterface({ input: child.stdout }).once("line", (line) => {
      const { port, session_token: token } = JSON.parse(line) as { port: number; session_token: string }
      resolve({ port, token })
    })
  })
}

async function stop(child: ChildProcess, ended: Promise<unknown>, lost: boolean): Promise<void> {
  const within = (ms: number): Promise<boolean> =>
    Promise.race([ended.then(() => true), sleep(ms, false, { ref: false })])
  child.stdin?.end()
  if (await within(lost ? 200 : 10_000)) return
  child.kill("SIGTERM")
  if (await within(lost ? 1000 : 5000)) return
  child.kill("SIGKILL")
  await ended
}

/** The fault of an engine that cannot be used. */
export function connectFault(runnerHost: string, words: string): Error {
  return fault({
    code: "ENGINE-CONNECT",
    kind: "errored",
    message: `The Dagger engine at ${runnerHost} could not be used`,
    reason: words,
    hint: "gantry doctor says what is wrong with it; gantry stack up starts what is missing.",
  })
}
