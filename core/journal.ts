import { open, readFile, stat, truncate, type FileHandle } from "node:fs/promises"
import { dirname } from "node:path"
import type { RunEvent, Stamped } from "./events.js"
import { fileFault, syncFolder } from "./files.js"

/**
 * `events.ndjson`: append-only, one JSON event a line. Events that come while a write is under way go out together with
 * one sync, so 1,000 quick steps cost a few dozen syncs and not 3,000.
 */
export interface Journal {
  append(event: Stamped<RunEvent>): void
  /** Settles when everything appended so far is on the disk, whatever is appended meanwhile. @throws DISK-FULL, FILE-DENIED */
  flush(): Promise<void>
  /** What made writing fail, if anything did. */
  trouble(): unknown
  close(): Promise<void>
}

/** @param onTrouble Called once, when a write has failed: nothing is written from then on. */
export async function openJournal(path: string, onTrouble: (trouble: unknown) => void = () => {}): Promise<Journal> {
  await dropTornLine(path)
  const file = await openFile(path)
  let pending: string[] = []
  /** Settles when the batch that takes `pending` along is written; undefined while nothing is pending. */
  let next: Promise<void> | undefined
  let last: Promise<void> = Promise.resolve()
  let broken: unknown

  const writeBatch = async (): Promise<void> => {
    // A turn later, so that all events of one turn share a sync.
    await new Promise<void>((resolve) => setImmediate(resolve))
    const batch = pending.join("")
    pending = []
    next = undefined
    if (broken !== undefined) return
    try {
      await file.appendFile(batch)
      await file.datasync()
    } catch (cause) {
      broken = fileFault(cause, path)
      onTrouble(broken)
    }
  }
  const flush = async () => {
    await (next ?? last)
    if (broken !== undefined) throw broken
  }
  return {
    append(event) {
      pending.push(JSON.stringify(event) + "\n")
      next ??= last = last.then(writeBatch)
    },
    flush,
    trouble: () => broken,
    async close() {
      try {
        await flush()
      } finally {
        await file.close()
      }
    },
  }
}

async function openFile(path: string): Promise<FileHandle> {
  try {
    const isNew = (await stat(path).catch(() => undefined)) === undefined
    const file = await open(path, "a")
    // That the file exists has to be durable, too.
    if (isNew) await syncFolder(dirname(path))
    return file
  } catch (cause) {
    throw fileFault(cause, path)
  }
}

/** The events of a journal. A last line without its newline was being written when the process died: it did not happen. */
export async function readJournal(path: string): Promise<Stamped<RunEvent>[]> {
  const text = await readFile(path, "utf8")
  const whole = text.slice(0, text.lastIndexOf("\n") + 1)
  return whole
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Stamped<RunEvent>)
}

/** Cuts off a last line without its end, reading no more of the file than that line. */
async function dropTornLine(path: string): Promise<void> {
  const size = (await stat(path).catch(() => undefined))?.size ?? 0
  if (size === 0) return
  const file = await open(path, "r")
  let whole = size
  try {
    const chunk = Buffer.alloc(Math.min(size, 64 * 1024))
    for (;;) {
      const start = Math.max(0, whole - chunk.length)
      const { bytesRead } = await file.read(chunk, 0, whole - start, start)
      const end = chunk.subarray(0, bytesRead).lastIndexOf(0x0a)
      whole = end === -1 ? start : start + end + 1
      if (end !== -1 || start === 0) break
    }
  } finally {
    await file.close()
  }
  if (whole < size) await truncate(path, whole)
}
