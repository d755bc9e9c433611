import { createReadStream, createWriteStream } from "node:fs"
import { rm } from "node:fs/promises"
import { arch, platform } from "node:os"
import { Readable } from "node:stream"
import { pipeline } from "node:stream/promises"
import { createGunzip } from "node:zlib"
import { bodyText, discard, httpRequest } from "../../net/http.js"
import type { EngineContext } from "../context.js"
import { daggerVersion } from "../dagger-version.js"
import { diskFull, hashFile } from "../files.js"
import { unpackFile } from "./unpack.js"

/** Where Dagger publishes its CLI, as the SDK has it. It is in no package registry. */
const releases = "https://dl.dagger.io/dagger/releases"

/** Dagger's published archive, its SHA-256 from the checksums beside it (as the SDK does). Throws what the network throws; SUPPLY-DISK-FULL. */
export async function fromRelease(context: EngineContext, to: string): Promise<boolean> {
  if (context.config.supply === "packages") return false
  const machine = arch() === "x64" ? "amd64" : arch()
  const name = `dagger_v${daggerVersion}_${platform()}_${machine}.tar.gz`
  const base = `${releases}/${daggerVersion}`
  const { ca, signal } = context
  const sums = await httpRequest(`${base}/checksums.txt`, { ca, timeoutMs: 5000, signal })
  const sha256 = (await bodyText(sums))
    .split("\n")
    .find((line) => line.endsWith(name))
    ?.split(/\s+/)[0]
  if (sums.status !== 200 || sha256 === undefined) throw new Error(`${base}/checksums.txt: HTTP ${sums.status}`)
  const task = context.progress.task(`Downloading the Dagger CLI v${daggerVersion}`)
  const archive = `${to}.tar.gz`
  try {
    const answer = await httpRequest(`${base}/${name}`, { ca, signal })
    if (answer.status !== 200 || answer.body === null) {
      await discard(answer)
      throw new Error(`${base}/${name}: HTTP ${answer.status}`)
    }
    await pipeline(Readable.fromWeb(answer.body), createWriteStream(archive), signal === undefined ? {} : { signal })
    const found = await hashFile(archive)
    if (found !== sha256) throw new Error(`${base}/${name}: SHA-256 is ${found}, expected ${sha256}`)
    const unpacked = await unpackFile(createReadStream(archive).pipe(createGunzip()), "dagger", to)
    task.done()
    return unpacked
  } catch (error) {
    task.fail(error)
    throw diskFull(error, archive) ?? error
  } finally {
    await rm(archive, { force: true })
  }
}
