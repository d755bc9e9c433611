import { randomBytes } from "node:crypto"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { z } from "zod"
import { Artifact } from "./artifacts.js"
import { Report } from "./reports.js"

/** The result of a pure step, kept by fingerprint under `.gantry/cache`. */
const CachedResult = z.object({
  run: z.string(),
  output: z.json().optional(),
  artifacts: z.array(Artifact),
  reports: z.array(Report),
})
export type CachedResult = z.infer<typeof CachedResult>

const path = (root: string, step: string, fingerprint: string) => join(root, "cache", step, `${fingerprint}.json`)

/** Undefined when there is none, or none that can be read: a cache is never a reason to fail. */
export async function readCache(root: string, step: string, fingerprint: string): Promise<CachedResult | undefined> {
  try {
    return CachedResult.parse(JSON.parse(await readFile(path(root, step, fingerprint), "utf8")))
  } catch {
    return undefined
  }
}

export async function writeCache(root: string, step: string, fingerprint: string, result: CachedResult): Promise<void> {
  const target = path(root, step, fingerprint)
  await mkdir(dirname(target), { recursive: true })
  const temporary = `${target}.${process.pid}.${randomBytes(4).toString("hex")}`
  try {
    await writeFile(temporary, JSON.stringify(result))
    await rename(temporary, target)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
}
