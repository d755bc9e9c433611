import { randomBytes } from "node:crypto"
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs"
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

/**
 * Undefined when there is none, or none that can be read: a cache is never a reason to fail. Reads at once: the files are small,
 * and a plan of 10,000 steps asks for as many.
 */
export function readCache(root: string, step: string, fingerprint: string): CachedResult | undefined {
  try {
    return CachedResult.parse(JSON.parse(readFileSync(path(root, step, fingerprint), "utf8")))
  } catch {
    return undefined
  }
}

export function writeCache(root: string, step: string, fingerprint: string, result: CachedResult): void {
  const target = path(root, step, fingerprint)
  mkdirSync(dirname(target), { recursive: true })
  const temporary = `${target}.${process.pid}.${randomBytes(4).toString("hex")}`
  try {
    writeFileSync(temporary, JSON.stringify(result))
    renameSync(temporary, target)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw cause
  }
}
