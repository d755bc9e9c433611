import { createReadStream } from "node:fs"
import { lstat, readlink } from "node:fs/promises"
import { join, relative } from "node:path"
import { readdir } from "node:fs/promises"
import { pipeline } from "node:stream/promises"
import type Docker from "dockerode"
import tar from "tar-stream"
import { fault } from "../../core/errors.js"
import type { Task } from "../../core/progress.js"
import { proxyEnvironment } from "../ca.js"
import { diskFull } from "../files.js"
import type { ContextFile } from "../supply/recipe.js"
import { followStream } from "./stream.js"

export interface ImageBuild {
  /** Complete, with its FROM line. */
  readonly dockerfile: string
  readonly files: Readonly<Record<string, ContextFile>>
  readonly tag: string
  readonly labels?: Readonly<Record<string, string>>
  readonly task: Task
  readonly signal?: AbortSignal | undefined
}

async function addPath(pack: tar.Pack, name: string, path: string, mode: number | undefined): Promise<void> {
  const info = await lstat(path)
  if (info.isDirectory()) {
    for (const entry of (await readdir(path)).sort())
      await addPath(pack, join(name, entry), join(path, entry), undefined)
  } else if (info.isSymbolicLink()) {
    pack.entry({ name, type: "symlink", linkname: await readlink(path) })
  } else {
    const entry = pack.entry({ name, size: info.size, mode: mode ?? info.mode & 0o777, mtime: new Date(0) })
    await pipeline(createReadStream(path), entry)
  }
}

/** The build context as a tar stream. Times are fixed, so that Docker's build cache sees content only. */
export function contextTar(dockerfile: string, files: Readonly<Record<string, ContextFile>>): tar.Pack {
  const pack = tar.pack()
  const fill = async (): Promise<void> => {
    pack.entry({ name: "Dockerfile", mtime: new Date(0) }, dockerfile)
    for (const [name, file] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
      const target = relative("/", join("/", name))
      if ("text" in file) pack.entry({ name: target, mode: file.mode ?? 0o644, mtime: new Date(0) }, file.text)
      else await addPath(pack, target, file.path, file.mode)
    }
    pack.finalize()
  }
  fill().catch((error: unknown) => pack.destroy(error instanceof Error ? error : new Error(String(error))))
  return pack
}

/**
 * Builds an image with the Docker Engine's own builder; its lines are the task's log.
 * Errors: SUPPLY-BUILD (a command of the Dockerfile failed), SUPPLY-DISK-FULL.
 */
export async function buildImage(docker: Docker, build: ImageBuild): Promise<void> {
  const tail: string[] = []
  try {
    const stream = await docker.buildImage(contextTar(build.dockerfile, build.files), {
      t: build.tag,
      rm: true,
      forcerm: true,
      labels: { ...build.labels },
      buildargs: proxyEnvironment(),
      ...(build.signal === undefined ? {} : { abortSignal: build.signal }),
    })
    await followStream(stream, (event) => {
      const text = (event.stream ?? event.status ?? "").trimEnd()
      if (text.trim() === "") return
      build.task.log(text)
      tail.push(text)
      if (tail.length > 40) tail.shift()
      const step = /^Step (\d+)\/(\d+) : (.*)/.exec(text)
      if (step !== null) build.task.update((step[3] ?? "").slice(0, 100), Number(step[1]) / (Number(step[2]) + 1))
    })
  } catch (error) {
    build.signal?.throwIfAborted()
    const reason = `${tail.slice(-12).join("\n")}\n${error instanceof Error ? error.message : String(error)}`.trim()
    throw (
      diskFull(reason, "the Docker Engine's data folder") ??
      fault({
        code: "SUPPLY-BUILD",
        kind: "errored",
        message: `The image ${build.tag} could not be built`,
        reason,
        hint: "The lines above are the builder's own. Run the same command again when the cause is gone: finished parts are kept.",
        cause: error,
      })
    )
  }
}
