import { createWriteStream } from "node:fs"
import { mkdir, rename, rm, stat } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { Transform } from "node:stream"
import { pipeline } from "node:stream/promises"
import { fault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"
import { diskFull, exists, hashFile } from "../files.js"
import { httpRequest } from "../http.js"
import { withLock } from "../../core/lock.js"

export interface Download {
  readonly url: string
  /** Hex. Also the name under which the file is kept. */
  readonly sha256: string
  readonly title: string
}

/** Where a download is kept, known before it is there. */
export function downloadPath(home: string, download: Download): string {
  return join(home, "cache", "downloads", download.sha256.slice(0, 16), basename(new URL(download.url).pathname))
}

async function sizeOf(path: string): Promise<number> {
  return stat(path).then(
    (info) => info.size,
    () => 0,
  )
}

/**
 * Downloads a file into the cache and answers its path. What a broken connection or a killed process left is carried on
 * with; a file is only kept under its name when its SHA-256 is right.
 * Errors: SUPPLY-DOWNLOAD, SUPPLY-CHECKSUM, SUPPLY-DISK-FULL.
 */
export async function download(context: EngineContext, request: Download): Promise<string> {
  const path = downloadPath(context.home, request)
  if (await exists(path)) return path
  await mkdir(dirname(path), { recursive: true })
  return withLock(
    `${path}.lock`,
    `downloading ${request.title}`,
    async () => {
      if (await exists(path)) return path
      const task = context.progress.task(`Downloading ${request.title}`)
      const part = `${path}.part`
      try {
        let attempt = 0
        for (;;) {
          try {
            await fetchInto(context, request.url, part, (text, fraction) => task.update(text, fraction))
            break
          } catch (error) {
            context.signal?.throwIfAborted()
            const full = diskFull(error, part)
            if (full !== undefined) throw full
            attempt += 1
            if (attempt >= 5) throw unreachable(request, error)
            task.log(`attempt ${attempt} broke off (${String(error)}), carrying on`)
          }
        }
        task.update("checking")
        const sha256 = await hashFile(part)
        if (sha256 !== request.sha256) {
          await rm(part, { force: true })
          throw fault({
            code: "SUPPLY-CHECKSUM",
            kind: "errored",
            message: `${request.title}: what was downloaded is not what is expected`,
            reason: `SHA-256 is ${sha256}, expected ${request.sha256}. A mirror or a proxy may have answered with something else.`,
            hint: `Look at ${request.url}, then run the same command again.`,
          })
        }
        await rename(part, path)
        task.done(`${Math.round((await sizeOf(path)) / 1e6)} MB`)
        return path
      } catch (error) {
        task.fail(error)
        throw error
      }
    },
    { signal: context.signal },
  )
}

function unreachable(request: Download, error: unknown): Error {
  return fault({
    code: "SUPPLY-DOWNLOAD",
    kind: "errored",
    message: `${request.title} could not be downloaded`,
    reason: `${request.url}: ${error instanceof Error ? error.message : String(error)}`,
    hint: "Check the network, then run the same command again: it carries on where it stopped.",
    cause: error,
  })
}

async function fetchInto(
  context: EngineContext,
  url: string,
  part: string,
  onProgress: (text: string, fraction?: number) => void,
): Promise<void> {
  const have = await sizeOf(part)
  const answer = await httpRequest(url, {
    ca: context.ca,
    signal: context.signal,
    headers: have > 0 ? { range: `bytes=${have}-` } : {},
  })
  if (answer.status === 416) {
    // All of it is there already (or the file changed: then the checksum says so).
    answer.body.resume()
    return
  }
  if (answer.status !== 200 && answer.status !== 206) {
    answer.body.resume()
    throw new Error(`HTTP ${answer.status}`)
  }
  const start = answer.status === 206 ? have : 0
  const length = Number(answer.headers["content-length"] ?? Number.NaN)
  const total = start + length
  let done = start
  let shown = 0
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      done += chunk.length
      const now = Date.now()
      if (now - shown > 200) {
        shown = now
        onProgress(megabytes(done, total), Number.isFinite(total) ? done / total : undefined)
      }
      next(null, chunk)
    },
  })
  answer.body.setTimeout(60_000, () => answer.body.destroy(new Error("no data for 60 s")))
  await pipeline(answer.body, meter, createWriteStream(part, { flags: start > 0 ? "a" : "w" }))
  if (Number.isFinite(total) && done !== total) throw new Error(`broke off at ${done} of ${total} bytes`)
}

function megabytes(done: number, total: number): string {
  const mb = (bytes: number): string => `${Math.round(bytes / 1e6)}`
  return Number.isFinite(total) ? `${mb(done)} of ${mb(total)} MB` : `${mb(done)} MB`
}
