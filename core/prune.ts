import { readdir, rm, stat } from "node:fs/promises"
import { join } from "node:path"
import { isLocked } from "./lock.js"
import { listRuns, readRun, type Store } from "./store.js"

/**
 * Removes all but the newest finished runs, and the artifact bytes that no run has any more. Runs that wait, run or
 * cannot be read stay: somebody may need them. While a process works on some run, no bytes are removed: it may be about to
 * use them.
 * @returns removed: how many runs; bytes: of the artifacts removed
 */
export async function pruneRuns(store: Store, keep: number): Promise<{ removed: number; bytes: number }> {
  let removed = 0
  let kept = 0
  let busy = false
  for (const id of await listRuns(store)) {
    const dir = store.runDir(id)
    if (await isLocked(join(dir, "lock"))) {
      busy = true
      continue
    }
    const record = await readRun(store, id).catch(() => undefined)
    if (record === undefined || record.status === "running" || record.status === "waiting") continue
    if (kept++ < keep) continue
    await rm(dir, { recursive: true, force: true })
    removed++
  }
  return { removed, bytes: busy ? 0 : await sweepObjects(store) }
}

/** An object with one name left is in no run. Where the file system has no hard links, only the cache loses by it. */
async function sweepObjects(store: Store): Promise<number> {
  const dir = join(store.root, "objects")
  let bytes = 0
  for (const name of await readdir(dir).catch(() => [])) {
    const path = join(dir, name)
    const found = await stat(path).catch(() => undefined)
    if (found?.isFile() !== true || found.nlink > 1) continue
    bytes += found.size
    await rm(path, { force: true })
  }
  return bytes
}
