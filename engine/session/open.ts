import type { Writable } from "node:stream"
import type { Client } from "@dagger.io/dagger"
import { fault, faultIn, isFault } from "../../core/errors.js"
import type { EngineConfig } from "../config.js"
import { engineContext, type ContextOptions, type EngineContext } from "../context.js"
import { daggerVersion } from "../dagger-version.js"
import { containerName } from "../stack/container.js"
import { daggerEngine, listens } from "../stack/engine.js"
import { ensureComponents } from "../stack/ensure.js"
import { daggerCli } from "./cli.js"
import { loadSdk, sessionClient, sessionFetch } from "./client.js"
import { connectFault, startCli, type CliSession } from "./process.js"

/** A session with a Dagger engine. */
export interface Session {
  readonly dag: Client
  /** Whose engine it is: of a surrounding `dagger run`, of a configured runner host, or the stack's own. */
  readonly via: "surrounding" | "runner" | "stack"
  /** "0.21.8" */
  readonly version: string
  /** Fires when the engine or its CLI is lost; the reason is the fault ENGINE-LOST. Calls under way are rejected then. */
  readonly lost: AbortSignal
  /** The fault behind an error of the SDK, where there is one (ENGINE-LOST); else the error itself. */
  explain(error: unknown): unknown
  close(): Promise<void>
}

export interface SessionOptions extends ContextOptions {
  /** Gets the engine's progress lines. */
  readonly logs: Writable
  /** Folder that `dag.host()` paths are relative to. Default: the current one. */
  readonly workdir?: string
}

/**
 * Opens a session: with the engine of a surrounding `dagger run`, else with the configured runner host, else with the
 * engine of the local stack, which is started when it does not run.
 * Errors: ENGINE-CONNECT, ENGINE-VERSION, and those of the stack and of the supply of images.
 */
export async function openSession(
  config: EngineConfig,
  options: SessionOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Session> {
  const context = engineContext(config, options)
  const { DAGGER_SESSION_PORT: port, DAGGER_SESSION_TOKEN: token } = env
  if (port !== undefined && port !== "") {
    if (token === undefined || token === "") {
      throw fault({
        code: "ENGINE-CONNECT",
        kind: "usage",
        message: "DAGGER_SESSION_PORT is set and DAGGER_SESSION_TOKEN is not",
        hint: "Start Gantry with `dagger run …`, which sets both, or unset DAGGER_SESSION_PORT.",
      })
    }
    return connect(context, "surrounding", { port: Number(port), token })
  }
  const runner = config.dagger.runnerHost ?? (env["_EXPERIMENTAL_DAGGER_RUNNER_HOST"] || undefined)
  const start = async (via: "runner" | "stack", runnerHost: string): Promise<Session> => {
    const starting = startCli({
      binary: await daggerCli(context, env),
      runnerHost,
      workdir: options.workdir ?? process.cwd(),
      logs: options.logs,
      signal: context.signal,
    })
    loadSdk().catch(() => undefined) // Beside the CLI's start; who needs it hears of an error.
    const cli = await starting
    return connect(context, via, cli, cli)
  }
  if (runner !== undefined) {
    // The CLI would try for a minute.
    const missing = runner.startsWith("unix://") ? await listens(runner.slice("unix://".length)) : undefined
    if (missing !== undefined) throw connectFault(runner, missing)
    return start("runner", runner)
  }
  const own = daggerEngine.address(config) ?? ""
  await ensureComponents(context, [daggerEngine.id])
  return start("stack", own).catch(async (error: unknown) => {
    // It may have been going down as it was found: then it is started again, once.
    if (
      context.signal?.aborted === true ||
      !isFault(error) ||
      !["ENGINE-CONNECT", "ENGINE-LOST"].includes(error.code)
    ) {
      throw error
    }
    await ensureComponents(context, [daggerEngine.id])
    return start("stack", own)
  })
}

async function connect(
  context: EngineContext,
  via: Session["via"],
  at: { readonly port: number; readonly token: string },
  cli?: CliSession,
): Promise<Session> {
  const gone = new AbortController()
  let closing = false
  const lose = (reason: string): Error => {
    if (closing)
      return fault({
        code: "ENGINE-CLOSED",
        kind: "cancelled",
        message: "The session with the Dagger engine is closed",
      })
    const error = lostFault(reason)
    if (!gone.signal.aborted) gone.abort(error)
    return gone.signal.reason as Error
  }
  void cli?.ended.then(lose)
  const watch = via === "stack" ? watchContainer(context, (words) => lose(words)) : undefined
  const cancelled = (): void => gone.abort(context.signal?.reason)
  context.signal?.addEventListener("abort", cancelled, { once: true })
  const close = async (): Promise<void> => {
    closing = true
    context.signal?.removeEventListener("abort", cancelled)
    watch?.()
    // An engine that is there gets its goodbye, also when the work was interrupted: it then stops what runs.
    await cli?.close(isFault(gone.signal.reason) && gone.signal.reason.code === "ENGINE-LOST")
  }
  try {
    const dag = await sessionClient(
      at.port,
      at.token,
      sessionFetch(gone.signal, (error) => lose(error.message)),
    )
    const version = (await dag.version()).replace(/^v/, "")
    if (version !== daggerVersion) throw versionFault(via, version)
    return { dag, via, version, lost: gone.signal, explain: (error) => explain(error, gone.signal), close }
  } catch (error) {
    await close()
    throw explain(error, gone.signal)
  }
}

/** The SDK wraps what the transport throws; the fault is found along `cause`. */
function explain(error: unknown, lost: AbortSignal): unknown {
  const found = faultIn(error)
  if (found !== undefined) return found
  // What fails while the engine goes down fails because of that, whatever words it finds.
  return lost.aborted && isFault(lost.reason) ? lost.reason : error
}

/** Tells when the engine's container ends. Answers a function that stops watching. */
function watchContainer(context: EngineContext, onEnd: (words: string) => void): () => void {
  const stop = new AbortController()
  context.docker
    .getContainer(containerName(context, daggerEngine.id))
    .wait({ abortSignal: stop.signal })
    .then(
      (result: { StatusCode: number }) => onEnd(`its container ended with exit code ${result.StatusCode}`),
      () => {
        // Not watched any more, or the Docker Engine is gone: then the calls themselves fail.
      },
    )
  return () => stop.abort()
}

function lostFault(reason: string): Error {
  return fault({
    code: "ENGINE-LOST",
    kind: "errored",
    message: "The Dagger engine was lost",
    reason,
    hint: "gantry resume <run> carries on from the step that was running; it starts the engine again.",
  })
}

function versionFault(via: Session["via"], version: string): Error {
  return fault({
    code: "ENGINE-VERSION",
    kind: "errored",
    message: `The Dagger engine is ${version}, expected is ${daggerVersion}`,
    reason: `It is the engine ${via === "surrounding" ? "of the surrounding `dagger run`" : via === "runner" ? "of the configured runner host" : "of the local stack"}. SDK, CLI and engine have to be of one version.`,
    hint:
      via === "stack"
        ? "gantry stack down && gantry stack up"
        : `Use version ${daggerVersion} there, or let Gantry keep its own engine.`,
  })
}
