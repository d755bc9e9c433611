import { appendFileSync, mkdirSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs"
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
  later(work: () => void): void
  /** Settles when all is written. @throws DISK-FULL, FILE-DENIED for what could not be written at last either */
  close(): Promise<void>
}

/** Milliseconds of writing between two turns of the steps. */
const slice = 2

interface Waiting {
  replacement?: () => string
  readonly texts: string[]
}

export function createReaderFiles(): ReaderFiles {
  const waiting = new Map<string, Waiting>()
  /** Paths to be written next; what has failed leaves this list and stays in `waiting`. */
  const due = new Set<string>()
  const folders = new Set<string>()
  const others: (() => void)[] = []
  let working: Promise<void> | undefined
  let trouble: { readonly path: string; readonly cause: unknown } | undefined

  /** Writes one thing; false when nothing is left. */
  const writeNext = (): boolean => {
    const other = others.shift()
    if (other !== undefined) {
      try {
        other()
      } catch {
        return true // Its errors do not count.
      }
      return true
    }
    const [path] = due
    if (path === undefined) return false
    due.delete(path)
    const job = waiting.get(path)
    waiting.delete(path)
    if (job === undefined) return true
    try {
      makeFolder(dirname(path), folders)
      if (job.replacement !== undefined) replaceFile(path, job.replacement())
      if (job.texts.length > 0) appendWhole(path, job.texts.join(""))
    } catch (cause) {
      trouble ??= { path, cause }
      putBack(path, job)
    }
    return true
  }
  /** Small files are written at once, which is a fifth of the work that promises make of it; now and then the steps have a turn. */
  const work = async () => {
    for (let more = true; more;) {
      await new Promise<void>((resolve) => setImmediate(resolve))
      const until = performance.now() + slice
      while (more && performance.now() < until) more = writeNext()
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
    working ??= work()
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

function makeFolder(dir: string, made: Set<string>): void {
  if (made.has(dir)) return
  mkdirSync(dir, { recursive: true })
  made.add(dir)
}

/** Whole or not at all for a reader; not synced, because the journal is. */
function replaceFile(path: string, text: string): void {
  const temporary = join(dirname(path), `.${basename(path)}.tmp`)
  try {
    writeFileSync(temporary, text)
    renameSync(temporary, path)
  } catch (cause) {
    rmSync(temporary, { force: true })
    throw cause
  }
}

/** Appends a text or, when there is no room for all of it, nothing: it is tried again later. */
function appendWhole(path: string, text: string): void {
  const before = statSync(path, { throwIfNoEntry: false })?.size
  try {
    appendFileSync(path, text)
  } catch (cause) {
    takeBack(path, before)
    throw cause
  }
}

/** Cuts a file back to what it was. Where even that fails, the first error is the one to tell. */
function takeBack(path: string, size: number | undefined): void {
  try {
    if (size === undefined) rmSync(path, { force: true })
    else truncateSync(path, size)
  } catch {
    return
  }
}
