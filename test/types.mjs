// tsc, with what it found out last time. In a fresh clone that is taken from the user's cache: tsc compares the contents of
// files, so what does not belong to this tree costs time, and changes no verdict.
import { spawnSync } from "node:child_process"
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs"
import { homedir } from "node:os"
import { dirname, join } from "node:path"

const here = "node_modules/.cache/typecheck.tsbuildinfo"
const kept = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "gantry-tests", "typecheck.tsbuildinfo")

if (!existsSync(here)) copy(kept, here)
const { status } = spawnSync(process.execPath, ["node_modules/typescript/bin/tsc", "--noEmit"], { stdio: "inherit" })
copy(here, kept)
process.exitCode = status ?? 1

/** A cache that cannot be read or written is none. */
function copy(from, to) {
  try {
    mkdirSync(dirname(to), { recursive: true })
    copyFileSync(from, `${to}.${process.pid}`)
    renameSync(`${to}.${process.pid}`, to)
  } catch {
    return
  }
}
