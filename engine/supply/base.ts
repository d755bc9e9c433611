import { createReadStream } from "node:fs"
import { mkdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { fault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"
import { aptInstall, canInstall, findCommand } from "../docker/apt.js"
import { followStream } from "../docker/stream.js"
import { lastLines, runHost } from "../exec.js"
import { diskFull } from "../files.js"

/** Name of the public image that the base stands in for, and its Debian release. */
export const baseReference = "docker.io/library/debian:trixie-slim"
const release = "trixie"

/** Raised when what goes into the base changes: its images are then made anew. */
export const baseVersion = "debian-trixie-minbase-1"

/** As the official slim image: no manuals, no translations, no recommended packages dragged in by apt's own lists. */
const options = [
  "--variant=minbase",
  "--include=ca-certificates",
  '--aptopt=Acquire::Languages "none"',
  '--aptopt=Acquire::Retries "3"',
  "--dpkgopt=path-exclude=/usr/share/man/*",
  "--dpkgopt=path-exclude=/usr/share/locale/*",
  "--dpkgopt=path-exclude=/usr/share/doc/*",
  "--dpkgopt=path-include=/usr/share/doc/*/copyright",
  "--format=tar",
] as const

/**
 * Makes the Debian base image from Debian's packages and imports it under `tag`.
 * Errors: SUPPLY-NO-MMDEBSTRAP, SUPPLY-BASE with the tool's last lines, SUPPLY-DISK-FULL.
 */
export async function makeBase(context: EngineContext, tag: string): Promise<void> {
  if ((await findCommand("mmdebstrap")) === undefined) {
    if (!(await canInstall())) {
      throw fault({
        code: "SUPPLY-NO-MMDEBSTRAP",
        kind: "errored",
        message: "The base image cannot be made: mmdebstrap is not installed",
        reason: `${baseReference} was not found in a registry, and only root may install packages.`,
        hint: 'As root: apt-get install mmdebstrap. Or name a mirror: mirrors: { "docker.io": "…" } in gantry.config.ts.',
      })
    }
    await aptInstall(["mmdebstrap", "debian-archive-keyring"], context.progress, {
      expectedSeconds: 10,
      signal: context.signal,
    })
  }
  const task = context.progress.task("Debian 13 base image from Debian's packages", { expectedSeconds: 15 })
  const folder = join(context.home, "tmp")
  const archive = join(folder, `base-${process.pid}.tar`)
  try {
    await mkdir(folder, { recursive: true })
    task.update("mmdebstrap")
    const made = await runHost("mmdebstrap", [...options, release, archive], { task, signal: context.signal })
    context.signal?.throwIfAborted()
    if (made.exitCode !== 0) {
      throw (
        diskFull(made.output, folder) ??
        fault({
          code: "SUPPLY-BASE",
          kind: "errored",
          message: "The base image could not be made from Debian's packages",
          reason: lastLines(made.output),
          hint: "Check that this host reaches Debian's packages (apt-get update), then run the same command again.",
        })
      )
    }
    task.update(`importing ${Math.round((await stat(archive)).size / 1e6)} MB`)
    const [repo = "", name = ""] = splitTag(tag)
    const stream = await context.docker.importImage(createReadStream(archive), {
      repo,
      tag: name,
      changes: ['CMD ["bash"]', "ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
    })
    await followStream(stream)
    task.done()
  } catch (error) {
    task.fail(error)
    throw error
  } finally {
    await rm(archive, { force: true })
  }
}

/** Repository and tag of "127.0.0.1:5000/gantry/debian:abc". */
export function splitTag(reference: string): readonly [string, string] {
  const at = reference.lastIndexOf(":")
  return [reference.slice(0, at), reference.slice(at + 1)]
}
