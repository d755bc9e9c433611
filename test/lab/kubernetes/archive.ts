import { createWriteStream } from "node:fs"
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { pipeline } from "node:stream/promises"
import type { EngineContext } from "../../../engine/context.js"
import { exists, hashText } from "../../../engine/files.js"
import { withLock } from "../../../core/lock.js"

/** Folder of the Gantry home in which archives of images lie; the node sees it as /images. */
export const archiveFolder = (context: EngineContext): string => join(context.home, "cache", "lab")

/**
 * An archive of images of the Docker Engine, as `docker save` makes it; answers its name in the folder. Names end in the
 * hash of what the images are made of, so an archive is made once. Streams: images are larger than a buffer should be.
 */
export async function imageArchive(context: EngineContext, names: readonly string[]): Promise<string> {
  const file = `${hashText([...names].sort().join("\n")).slice(0, 24)}.tar`
  const path = join(archiveFolder(context), file)
  if (await exists(path)) return file
  await mkdir(dirname(path), { recursive: true })
  await withLock(
    `${path}.lock`,
    "saving images",
    async () => {
      if (await exists(path)) return
      await saveImages(context, names, path)
      await removeOld(dirname(path), file)
    },
    { signal: context.signal },
  )
  return file
}

/** A node reads its archive when it starts. Those of former images are in nobody's way for a day, then they go. */
async function removeOld(folder: string, keep: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const old = await stat(path).then(
      (info) => Date.now() - info.mtimeMs > 86_400_000,
      () => false,
    )
    if (name !== keep && old) await rm(path, { force: true })
  }
}

/** Writes an archive of images: whole or not at all. */
export async function saveImages(context: EngineContext, names: readonly string[], path: string): Promise<void> {
  const unfinished = `${path}.${process.pid}.unfinished`
  try {
    await mkdir(dirname(path), { recursive: true })
    await pipeline(await exportImages(context, names), createWriteStream(unfinished))
    await rename(unfinished, path)
  } finally {
    await rm(unfinished, { force: true })
  }
}

/** dockerode exports one image; the Engine's own request takes several (GET /images/get?names=a&names=b). */
function exportImages(context: EngineContext, names: readonly string[]): Promise<NodeJS.ReadableStream> {
  return new Promise((resolve, reject) => {
    context.docker.modem.dial(
      {
        path: "/images/get?",
        method: "GET",
        options: { names: [...names] },
        isStream: true,
        statusCodes: { 200: true, 404: "no such image", 500: "server error" },
      },
      (error: unknown, stream: unknown) => {
        if (error === null || error === undefined) resolve(stream as NodeJS.ReadableStream)
        else reject(error instanceof Error ? error : new Error(String(error)))
      },
    )
  })
}
