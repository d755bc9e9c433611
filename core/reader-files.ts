import { appendFile, mkdir, rename, rm, stat, truncate, writeFile } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { fileFault } from "./files.js"

/**
 * The files of a run that are made for readers (logs, results, snapshots of run.json): written one after the other, off the way
 * of the steps. What cannot be written, because the disk was full for a moment, waits and is tried again: the journal is the
 * truth, and a file for readers is no reason to stop a run.
 */
export interface ReaderFiles {
  /** Replaces a file whole; `text` is asked when it is written, so that of several only the last is. */
  replace(path: string, text: () => string): void
  append(path: string, text: string): void
  /** Does other work that nobody waits for. Its errors do not count. */
  later(work: () => Promise<void>): void
  /** Settles when all is written. @throws DISK-FULL, FILE-DENIED for what could not be written at last either */
  close(): Promise<void>
}

interface Waiting {
  replacement?: () => string
  readonly texts: string[]
}

export function createReaderFiles(): ReaderFiles {
  const waiting = new Map<string, Waiting>()
  /** Paths to be written next; what has failed leaves this list and stays in `waiting`. */
  const due = new Set<string>()
  const folders = new Set<string>()
  const others: (() => Promise<void>)[] = []
  let working: Promise<void> | undefined
  let trouble: { readonly path: string; readonly cause: unknown } | undefined

  const work = async () => {
    for (;;) {
      const other = others.shift()
      if (other !== undefined) await other().catch(() => undefined)
      const [path] = due
      if (path === undefined && others.length === 0) break
      if (path === undefined) continue
      due.delete(path)
      const job = waiting.get(path)
      waiting.delete(path)
      if (job === undefined) continue
      try {
        await makeFolder(dirname(path), folders)
        if (job.replacement !== undefined) await replaceFile(path, job.replacement())
        if (job.texts.length > 0) await appendWhole(path, job.texts.join(""))
      } catch (cause) {
        trouble ??= { path, cause }
        putBack(path, job)
      }
    }
    working = undefined
  }
  const putBack = (path: string, job: Waiting) => {
    const newer = waiting.get(path)
    if (newer === undefined) waiting.set(path, job)
    else {
      newer.texts.unshift(...job.texts)
      if (newer.replacement === undefined && job.replacement !== undefined) newer.replacement = job.replacement
    }
  }
  const start = () => {
    working ??= Promise.resolve().then(work)
  }
  const enqueue = (path: string): Waiting => {
    let job = waiting.get(path)
    if (job === undefined) waiting.set(path, (job = { texts: [] }))
    due.add(path)
    start()
    return job
  }
  return {
    replace: (path, text) => {
      enqueue(path).replacement = text
    },
    append: (path, text) => {
      enqueue(path).texts.push(text)
    },
    later(task) {
      others.push(task)
      start()
    },
    async close() {
      while (working !== undefined) await working
      trouble = undefined
      for (const path of waiting.keys()) due.add(path)
      if (due.size > 0) start()
      while (working !== undefined) await working
      // It was assigned meanwhile, which the compiler cannot see.
      const failed = trouble as { readonly path: string; readonly cause: unknown } | undefined
      if (failed !== undefined) throw fileFault(failed.cause, failed.path)
    },
  }
}

async function makeFolder(dir: string, made: Set<string>): Promise<void> {
  if (made.has(dir)) return
  await mkdir(dir, { recursive: true })
  made.add(dir)
}

/** Whole or not at all for a reader; not synced, because the journal is. */
async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`)
  try {
    await writeFile(temporary, text)
    await rename(temporary, path)
  } catch (cause) {
    await rm(temporary, { force: true })
    throw cause
  }
}

/** Appends a text or, when there is no room for all of it, nothing: it is tried again later. */
async function appendWhole(path: string, text: string): Promise<void> {
  const before = (await stat(path).catch(() => undefined))?.size
  try {
    await appendFile(path, text)
  } catch (cause) {
    await (before === undefined ? rm(path, { force: true }) : truncate(path, before)).catch(() => undefined)
    throw cause
  }
}
