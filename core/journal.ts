import { open, readFile, truncate, type FileHandle } from "node:fs/promises"
import type { RunEvent, Stamped } from "./events.js"
import { fileFault } from "./files.js"

/**
 * `events.ndjson`: append-only, one JSON event a line. Events that come while a write is under way go out together with
 * one sync, so 1,000 quick steps cost a few dozen syncs and not 3,000.
 */
export interface Journal {
  append(event: Stamped<RunEvent>): void
  /** Settles when everything appended so far is on the disk. @throws DISK-FULL, FILE-DENIED */
  flush(): Promise<void>
  /** What made writing fail, if anything did. */
  trouble(): unknown
  close(): Promise<void>
}

export async function openJournal(path: string): Promise<Journal> {
  await dropTornLine(path)
  const file = await openFile(path)
  let pending: string[] = []
  let writing: Promise<void> | undefined
  let broken: unknown

  const drain = async (): Promise<void> => {
    while (pending.length > 0 && broken === undefined) {
      const batch = pending.join("")
      pending = []
      try {
        await file.appendFile(batch)
        await file.datasync()
      } catch (cause) {
        broken = fileFault(cause, path)
      }
    }
    writing = undefined
  }
  const flush = async () => {
    while (writing !== undefined) await writing
    if (broken !== undefined) throw broken
  }
  return {
    append(event) {
      pending.push(JSON.stringify(event) + "\n")
      // A turn later, so that all events of one turn share a sync.
      writing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(drain)
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
    return await open(path, "a")
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

async function dropTornLine(path: string): Promise<void> {
  const text = await readFile(path).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return undefined
    throw cause
  })
  if (text === undefined || text.length === 0 || text[text.length - 1] === 0x0a) return
  await truncate(path, text.lastIndexOf(0x0a) + 1)
}
