import { execFileSync } from "node:child_process"
import { readdirSync, statSync, utimesSync, writeFileSync, mkdirSync, rmdirSync } from "node:fs"
import { join, resolve } from "node:path"
import { setTimeout as pause } from "node:timers/promises"

export const repository = resolve(import.meta.dirname, "../../..")
export const command = join(repository, "dist/cli/main.js")

const sources = [
  "core",
  "net",
  "engine",
  "steps",
  "pipelines",
  "environments",
  "approvals",
  "ci",
  "clients",
  "config",
  "report",
  "cli",
]
const stamp = join(repository, "dist/.built")
const lock = join(repository, "dist/.building")

/** Builds dist/ when a source is newer than it. Test files run side by side: one builds, the others wait. */
export async function built(): Promise<void> {
  mkdirSync(join(repository, "dist"), { recursive: true })
  for (const deadline = Date.now() + 120_000; !take();) {
    if (Date.now() > deadline) throw new Error(`${lock} is held; remove it if nobody builds`)
    await pause(100)
  }
  try {
    const newest = Math.max(...sources.map((folder) => newestIn(join(repository, folder))))
    if (mtime(command) === 0 || newest > Math.max(mtime(stamp), mtime(join(repository, "build/.tsbuildinfo")))) {
      const started = new Date()
      execFileSync("npm", ["run", "--silent", "build"], { cwd: repository, stdio: ["ignore", "ignore", "inherit"] })
      writeFileSync(stamp, "")
      utimesSync(stamp, started, started)
    }
  } finally {
    rmdirSync(lock)
  }
}

function take(): boolean {
  try {
    mkdirSync(lock)
    return true
  } catch {
    // Of a test run that was killed.
    if (Date.now() - mtime(lock) > 110_000) rmdirSync(lock)
    return false
  }
}

function newestIn(folder: string): number {
  return Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => mtime(join(entry.parentPath, entry.name))),
  )
}

function mtime(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0
}

/** Before the tests of project `command`. */
export default built
