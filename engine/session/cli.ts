import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fault, isFault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"
import { daggerVersion, engineReference } from "../dagger-version.js"
import { findCommand } from "../docker/apt.js"
import { runHost } from "../exec.js"
import { exists } from "../files.js"
import { hasImage } from "../supply/make.js"
import { localImage } from "../image/local.js"
import { withLock } from "../../core/lock.js"
import { daggerBuild, daggerCliBuild } from "../recipes/dagger.js"
import { goBuild, goBuildPath, goReference } from "../supply/go.js"
import { fromRelease } from "./cli-release.js"
import { unpackFile } from "./unpack.js"

/** The version that a CLI says it is, `undefined` when it does not run. */
export async function cliVersion(path: string): Promise<string | undefined> {
  const ran = await runHost(path, ["version"], { env: { DO_NOT_TRACK: "1", DAGGER_NO_NAG: "1" }, timeoutMs: 20_000 })
  return ran.exitCode === 0 ? /v(\d+\.\d+\.\d+[\w.-]*)/.exec(ran.output)?.[1] : undefined
}

/**
 * Path of a Dagger CLI of exactly the SDK's version: the one that _EXPERIMENTAL_DAGGER_CLI_BIN names, the kept one, one
 * on PATH, the one built with the engine, the one inside the engine's image, Dagger's published one, or one built now.
 * Errors: ENGINE-VERSION (the named one is another version), SUPPLY-NO-CLI.
 */
export async function daggerCli(context: EngineContext, env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const named = env["_EXPERIMENTAL_DAGGER_CLI_BIN"]
  if (named !== undefined && named !== "") {
    const version = await cliVersion(named)
    if (version === daggerVersion) return named
    throw fault({
      code: "ENGINE-VERSION",
      kind: "errored",
      message: `The Dagger CLI ${named} is ${version ?? "not usable"}, expected is ${daggerVersion}`,
      reason: "_EXPERIMENTAL_DAGGER_CLI_BIN names it. SDK, CLI and engine have to be of one version.",
      hint: "Unset _EXPERIMENTAL_DAGGER_CLI_BIN, or let it name a CLI of that version.",
    })
  }
  const kept = join(context.home, "bin", `dagger-v${daggerVersion}`)
  if (await exists(kept)) return kept
  return withLock(
    `${kept}.lock`,
    "providing the Dagger CLI",
    async () => {
      if (await exists(kept)) return kept
      const onPath = await findCommand("dagger", env)
      if (onPath !== undefined && (await cliVersion(onPath)) === daggerVersion) return onPath
      const reasons: string[] = []
      for (const way of [fromBuild, fromImage, fromRelease, fromModules]) {
        const part = join(context.home, "tmp", `dagger-cli-${process.pid}`)
        await mkdir(dirname(part), { recursive: true })
        await mkdir(dirname(kept), { recursive: true })
        try {
          if (!(await way(context, part))) continue
          await chmod(part, 0o755)
          const version = await cliVersion(part)
          if (version !== daggerVersion) throw new Error(`it says version ${version ?? "nothing"}`)
          await rename(part, kept)
          return kept
        } catch (error) {
          context.signal?.throwIfAborted()
          if (isFault(error) && error.code === "SUPPLY-DISK-FULL") throw error
          reasons.push(`${way.name}: ${error instanceof Error ? error.message : String(error)}`)
        } finally {
          await rm(part, { force: true })
        }
      }
      throw fault({
        code: "SUPPLY-NO-CLI",
        kind: "errored",
        message: `No way to get the Dagger CLI v${daggerVersion}`,
        reason: reasons.join("; "),
        hint: `Put a dagger of version ${daggerVersion} on PATH (https://docs.dagger.io/install), then run the same command again.`,
      })
    },
    { signal: context.signal },
  )
}

/** Built together with the engine. */
async function fromBuild(context: EngineContext, to: string): Promise<boolean> {
  const path = join(await goBuildPath(context.home, daggerBuild), "dagger")
  if (!(await exists(path))) return false
  await copyFile(path, to)
  return true
}

/** An engine image of ours holds the CLI; the official one does not. */
async function fromImage(context: EngineContext, to: string): Promise<boolean> {
  if (context.config.dagger.runnerHost !== undefined) return false
  const image = await localImage(context, engineReference)
  if (!(await hasImage(context, image.name))) return false
  const container = await context.docker.createContainer({
    Image: image.name,
    Labels: { "dev.gantry.purpose": "build" },
  })
  try {
    const archive = await container
      .getArchive({ path: "/usr/local/bin/dagger" })
      .catch((error: { statusCode?: number }) => {
        if (error.statusCode === 404) return undefined
        throw error
      })
    if (archive === undefined) return false
    return await unpackFile(archive, "dagger", to)
  } finally {
    await container.remove({ force: true, v: true })
  }
}

async function fromModules(context: EngineContext, to: string): Promise<boolean> {
  if (context.config.supply === "images") return false
  const toolchain = (): Promise<string> => localImage(context, goReference).then((image) => image.name)
  await copyFile(join(await goBuild(context, toolchain, daggerCliBuild), "dagger"), to)
  return true
}
