import { chmod, copyFile, mkdir, rename, rm } from "node:fs/promises"
import { createReadStream, createWriteStream } from "node:fs"
import { arch, platform } from "node:os"
import { basename, dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import tar from "tar-stream"
import { fault, isFault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"
import { daggerVersion, engineReference } from "../dagger-version.js"
import { findCommand } from "../docker/apt.js"
import { lastLines, runHost } from "../exec.js"
import { exists } from "../files.js"
import { bodyText, httpRequest } from "../http.js"
import { hasImage } from "../supply/make.js"
import { localImage } from "../image/local.js"
import { withLock } from "../../core/lock.js"
import { daggerBuild, daggerCliBuild } from "../recipes/dagger.js"
import { download } from "../supply/download.js"
import { goBuild, goBuildPath, goReference } from "../supply/go.js"

/** Where Dagger publishes its CLI, as the SDK has it. */
const releases = "https://dl.dagger.io/dagger/releases"

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
    return await unpack(archive, "dagger", to)
  } finally {
    await container.remove({ force: true, v: true })
  }
}

/** Dagger's published archive, its SHA-256 from the checksums beside it (as the SDK does). */
async function fromRelease(context: EngineContext, to: string): Promise<boolean> {
  if (context.config.supply === "packages") return false
  const machine = arch() === "x64" ? "amd64" : arch()
  const name = `dagger_v${daggerVersion}_${platform()}_${machine}.tar.gz`
  const base = `${releases}/${daggerVersion}`
  const sums = await httpRequest(`${base}/checksums.txt`, { ca: context.ca, timeoutMs: 5000, signal: context.signal })
  const sha256 = (await bodyText(sums))
    .split("\n")
    .find((line) => line.endsWith(name))
    ?.split(/\s+/)[0]
  if (sums.status !== 200 || sha256 === undefined) throw new Error(`${base}/checksums.txt: HTTP ${sums.status}`)
  const path = await download(context, { url: `${base}/${name}`, sha256, title: `the Dagger CLI v${daggerVersion}` })
  return unpack(createReadStream(path).pipe(createGunzip()), "dagger", to)
}

async function fromModules(context: EngineContext, to: string): Promise<boolean> {
  if (context.config.supply === "images") return false
  const toolchain = (): Promise<string> => localImage(context, goReference).then((image) => image.name)
  await copyFile(join(await goBuild(context, toolchain, daggerCliBuild), "dagger"), to)
  return true
}

/** Takes one file out of a tar stream. */
async function unpack(archive: NodeJS.ReadableStream, name: string, to: string): Promise<boolean> {
  let found = false
  const extract = tar.extract()
  const reading = pipeline(archive, extract)
  for await (const entry of extract) {
    if (basename(entry.header.name) === name && entry.header.type === "file") {
      await pipeline(entry, createWriteStream(to))
      found = true
    } else entry.resume()
  }
  await reading.catch((error: unknown) => {
    throw new Error(lastLines(String(error)))
  })
  return found
}
