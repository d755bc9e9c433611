import { createWriteStream } from "node:fs"
import { basename } from "node:path"
import { pipeline } from "node:stream/promises"

/** Takes one file out of a tar stream, by its name without folders. Answers whether it was there. */
export async function unpackFile(archive: NodeJS.ReadableStream, name: string, to: string): Promise<boolean> {
  let found = false
  const tar = await import("tar-stream")
  const extract = tar.extract()
  const reading = pipeline(archive, extract)
  // Awaited below; until then a broken stream must not count as unhandled.
  reading.catch(() => {})
  for await (const entry of extract) {
    if (basename(entry.header.name) === name && entry.header.type === "file") {
      await pipeline(entry, createWriteStream(to))
      found = true
    } else entry.resume()
  }
  await reading
  return found
}
