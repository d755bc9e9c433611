import { readFile, rm } from "node:fs/promises"
import { join } from "node:path"
import type { Json } from "../../core/json.js"
import { breakLock, expiryOf, isLocked, lockHint, lockOwner, withLock, type LockOwner } from "../../core/lock.js"
import { writeAtomic } from "../../engine/files.js"
import type { LockHolder, Locks, Memory, Notes } from "../memory.js"

/** Long enough for a process that is busy, short enough for one whose host is gone. */
const leaseSeconds = 60

/** Memory as files beside the other state of a service. @param folder absolute */
export function fileMemory(folder: string): Memory {
  return { notes: fileNotes(folder), locks: fileLocks(folder) }
}

/** @param folder absolute */
export function fileNotes(folder: string): Notes {
  const where = (name: string) => join(folder, `${name}.json`)
  return {
    where,
    async read(name) {
      const text = await readFile(where(name), "utf8").catch((cause: NodeJS.ErrnoException) => {
        if (cause.code === "ENOENT") return undefined
        throw cause
      })
      if (text === undefined) return undefined
      try {
        return JSON.parse(text) as unknown
      } catch {
        return text
      }
    },
    write: (name: string, value: Json) =>
      value === undefined
        ? rm(where(name), { force: true })
        : writeAtomic(where(name), JSON.stringify(value, undefined, 1), 0o600),
  }
}

function fileLocks(folder: string): Locks {
  const path = (name: string) => join(folder, `${name}.lock`)
  return {
    hold: (name, what, work, { signal, onWait }) =>
      withLock(path(name), what, work, {
        signal,
        leaseSeconds,
        onWait: (owner) => onWait?.(holderOf(owner, true, undefined)),
      }),
    async holder(name) {
      const owner = await lockOwner(path(name))
      return owner && holderOf(owner, await isLocked(path(name)), await expiryOf(path(name), owner))
    },
    break: (name) => breakLock(path(name)),
    hint: (name, holder) => lockHint(path(name), holder && { host: holder.by.replace(/^.* on /, "") }),
  }
}

function holderOf(owner: LockOwner, alive: boolean, expires: Date | undefined): LockHolder {
  const by = `process ${owner.pid} on ${owner.host}`
  return { by, what: owner.what, since: owner.since, alive, expires: expires?.toISOString() }
}
