import { stripVTControlCharacters } from "node:util"
import type { Client, Container, Directory } from "@dagger.io/dagger"
import { fault } from "../core/errors.js"
import { followExec, lag } from "./exec-log.js"
import type { Service } from "./service.js"

/**
 * The files of a service, and of nothing else: another service's commit does not touch what is built from them.
 * @param exclude Globs relative to the service's folder.
 */
export function serviceFiles(
  dag: Client,
  folder: string,
  service: Pick<Service, "path" | "inputs">,
  exclude: readonly string[] = [],
): Directory {
  const inside = (glob: string) => (service.path === "." ? glob : `${service.path}/${glob}`)
  const include = service.path === "." ? [] : [`${service.path}/**`, ...service.inputs]
  return dag.host().directory(folder, { include, exclude: exclude.map(inside), noCache: true })
}

/** Rejects with the signal's reason when it fires first: the SDK knows no cancellation of a single call. */
export async function abortable<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted()
  let onAbort: (() => void) | undefined
  try {
    return await Promise.race([
      work,
      new Promise<never>((_resolve, reject) => {
        onAbort = () => reject(signal.reason as Error)
        signal.addEventListener("abort", onAbort, { once: true })
      }),
    ])
  } finally {
    if (onAbort !== undefined) signal.removeEventListener("abort", onAbort)
    work.catch(() => undefined)
  }
}

export interface ScriptResult {
  readonly container: Container
  readonly exitCode: number
  /** Standard output and errors as they came. */
  readonly output: string
}

export interface Script {
  /** Unique among what runs at the same time: the live log is found by it. Letters, digits, dots and dashes. */
  readonly marker: string
  /** Run by `sh -c`. */
  readonly command: string
  /** Seconds; then SIGTERM, and SIGKILL 10 s later. Exit code 124. */
  readonly timeout: number
}

/**
 * What of an output its live lines did not show: they are its beginning, when the machine is too busy for the rest to come
 * in time. Where a line of it was never live, the whole once more: the log is for people to find the cause in.
 */
export function unseen(output: string, live: readonly string[]): string {
  const lines = output === "" ? [] : output.replace(/\n$/, "").split("\n")
  // A line that was written over again and again is shown as the CLI pleases.
  const plain = (line: string | undefined) =>
    (
      stripVTControlCharacters(line ?? "")
        .split("\r")
        .findLast((part) => part.trim() !== "") ?? ""
    )
      .replace(/\s+/g, " ")
      .trim()
  if (live.length <= lines.length && live.every((line, i) => plain(line) === plain(lines[i]))) {
    return live.length === lines.length ? "" : lines.slice(live.length).join("\n") + "\n"
  }
  const shown = new Set(live.map(plain))
  if (live.length >= lines.length && lines.every((line) => shown.has(plain(line)))) return ""
  return `[the whole output once more: the live lines were not all]\n${output}`
}

/**
 * Runs a command whose script is the file `path` of the container and answers its whole output. What it says goes to
 * `write` while it runs, as far as the session's log is followed (`followedLog`), else when it has ended.
 * @throws the SDK's ExecError when it exits with another code than 0
 */
export async function runFile(
  base: Container,
  path: string,
  text: string,
  write: (chunk: string) => void,
  signal: AbortSignal,
): Promise<{ readonly container: Container; readonly output: string }> {
  const live: string[] = []
  let wake: (() => void) | undefined
  const stop = followExec(path, (line) => {
    live.push(line)
    write(`${line}\n`)
    wake?.()
  })
  /** False when the live log stood still for too long. */
  const another = () =>
    new Promise<boolean>((resolve) => {
      const timer = setTimeout(() => resolve(false), lag)
      wake = () => {
        clearTimeout(timer)
        resolve(true)
      }
    })
  try {
    const container = base.withNewFile(path, text).withExec(["sh", path])
    const output = await abortable(container.combinedOutput(), signal)
    const lines = output === "" ? 0 : output.replace(/\n$/, "").split("\n").length
    while (live.length > 0 && live.length < lines && !signal.aborted) if (!(await another())) break
    write(unseen(output, live))
    return { container, output }
  } catch (error) {
    const exec = execErrorOf(error)
    if (exec !== undefined && live.length === 0) write(`${exec.stdout}${exec.stderr}`)
    throw error
  } finally {
    stop()
  }
}

/** Runs a script in a container and answers whatever its exit code is, 124 when it took too long. @throws EXEC-KILLED */
export async function runScript(
  base: Container,
  script: Script,
  write: (chunk: string) => void,
  signal: AbortSignal,
): Promise<ScriptResult> {
  const path = `/gantry/${script.marker}`
  // The exit code goes to a file: of a red command the engine keeps no files when the code is above 127.
  const text = `timeout -k 10 ${Math.ceil(script.timeout)} sh -c ${quote(script.command)}\necho $? >${path}.exit\n`
  const ran = await runFile(base, path, text, write, signal).catch((error: unknown) => {
    const killed = execErrorOf(error)
    if (killed === undefined) throw error
    throw killedFault(script.marker, killed.exitCode, `${killed.stdout}${killed.stderr}`) ?? error
  })
  const exitCode = Number(await abortable(ran.container.file(`${path}.exit`).contents(), signal))
  return { ...ran, exitCode }
}

/** The SDK's ExecError somewhere along the causes (@dagger.io/dagger, common/errors/ExecError). */
export function execErrorOf(
  error: unknown,
): { readonly exitCode: number; readonly stdout: string; readonly stderr: string } | undefined {
  for (let at: unknown = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if ("exitCode" in at && "stdout" in at && "stderr" in at) {
      return { exitCode: Number(at.exitCode), stdout: String(at.stdout), stderr: String(at.stderr) }
    }
  }
  return undefined
}

/** A shell word. */
export function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

/** The last lines of an output, for an error that a person reads. */
export function lastLines(text: string, count = 20): string {
  const lines = text.trimEnd().split("\n").slice(-count).join("\n")
  return lines === "" ? "It said nothing." : lines
}

/** Signals that the work itself does not cause: 137 SIGKILL (mostly out of memory), 143 SIGTERM, 139 and 134 crashes. */
export function killedFault(what: string, exitCode: number, output: string) {
  const why: Readonly<Record<number, string>> = {
    137: "killed (exit code 137), mostly because memory ran out",
    143: "terminated from outside (exit code 143)",
    139: "crashed (exit code 139, segmentation fault)",
    134: "crashed (exit code 134, aborted)",
  }
  const words = why[exitCode]
  return words === undefined
    ? undefined
    : fault({
        code: "EXEC-KILLED",
        kind: "errored",
        message: `${what} was ${words}`,
        reason: lastLines(output),
        hint: "`free -m` and `docker stats` show memory; fewer services at a time need less. Then `gantry resume` the run.",
      })
}
