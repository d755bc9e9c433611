import { mkdir, appendFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { RunEvent, Stamped } from "./events.js"
import { fileFault, writeDurably } from "./files.js"
import { openJournal } from "./journal.js"
import { maskEvent } from "./mask-event.js"
import { createMasker } from "./mask.js"
import { applyEvent, type RunRecord, type RunState, type StepRecord } from "./record.js"
import { createStepLog, type StepLog } from "./step-log.js"

/**
 * Everything that a run leaves goes through here and is masked here: the journal (the truth), `run.json` and
 * `steps/<id>/result.json` (made from it for readers), the steps' logs, and the listeners.
 */
export interface Recorder {
  readonly record: RunRecord
  /** The record of one step as it stands. */
  step(id: string): StepRecord | undefined
  /** Notes an event; durable soon. */
  emit(event: RunEvent): void
  /** Notes an event; settles when it is on the disk. @throws DISK-FULL, FILE-DENIED */
  emitDurably(event: RunEvent): Promise<void>
  /** The writer of a step's log. */
  log(step: string): StepLog
  /** A further value that must not be seen. */
  mask(value: string): void
  maskText(value: string): string
  /** Does work that nobody waits for until close(). Its errors do not count. */
  later(work: () => Promise<void>): void
  /** What stopped the recording (a full disk), if anything did: a run that cannot be recorded must not go on. */
  trouble(): unknown
  /** Settles when the run directory is complete. @throws DISK-FULL, FILE-DENIED */
  close(): Promise<void>
}

/** Milliseconds between two writes of run.json while the run goes on: it is for people who watch, the journal is for safety. */
const snapshotPause = 250

export async function openRecorder(options: {
  readonly dir: string
  readonly state: RunState
  readonly first: RunEvent
  readonly secrets: readonly string[]
  readonly listener: (event: Stamped<RunEvent>) => void
  /** Called once, when recording has become impossible. */
  readonly onTrouble?: (trouble: unknown) => void
}): Promise<Recorder> {
  const { dir, state } = options
  const masker = createMasker(options.secrets)
  let writes: Promise<void> = Promise.resolve()
  let trouble: unknown
  let snapshot: NodeJS.Timeout | undefined
  const unsavedLogs = new Map<string, string[]>()

  const noteTrouble = (cause: unknown) => {
    if (trouble !== undefined) return
    trouble = cause
    options.onTrouble?.(cause)
  }
  const journal = await openJournal(join(dir, "events.ndjson"), noteTrouble)

  /** Files for readers are written one after the other, off the way of the steps; the first trouble is kept for close(). */
  const write = (path: string, work: () => Promise<void>) => {
    writes = writes.then(work).catch((cause: unknown) => noteTrouble(fileFault(cause, path)))
  }
  const listener = tolerant(options.listener)
  const emit = (event: RunEvent) => {
    const stamped = { at: new Date().toISOString(), ...maskEvent(event, masker) } as Stamped<RunEvent>
    applyEvent(state, stamped)
    journal.append(stamped)
    listener(stamped)
    if (event.type === "step-finished") {
      const stepDir = join(dir, "steps", event.step)
      const text = JSON.stringify(state.index.get(event.step), null, 2) + "\n"
      write(stepDir, () => replace(stepDir, "result.json", text))
    }
    snapshot ??= setTimeout(() => {
      snapshot = undefined
      write(dir, () => replace(dir, "run.json", JSON.stringify(state.record, null, 2) + "\n"))
    }, snapshotPause).unref()
  }
  const saveLog = (step: string, text: string) => {
    const unsaved = unsavedLogs.get(step)
    if (unsaved !== undefined) {
      unsaved.push(text)
      return
    }
    unsavedLogs.set(step, [text])
    const stepDir = join(dir, "steps", step)
    write(join(stepDir, "log.txt"), async () => {
      const texts = unsavedLogs.get(step) ?? []
      unsavedLogs.delete(step)
      await mkdir(stepDir, { recursive: true })
      await appendFile(join(stepDir, "log.txt"), texts.join(""))
    })
  }

  emit(options.first)
  try {
    await journal.flush()
  } catch (cause) {
    clearTimeout(snapshot)
    await journal.close().catch(() => undefined)
    throw cause
  }

  return {
    get record() {
      return state.record as RunRecord
    },
    step: (id) => state.index.get(id),
    emit,
    async emitDurably(event) {
      emit(event)
      await journal.flush()
    },
    mask: (value) => masker.add(value),
    maskText: (value) => masker.text(value),
    later(work) {
      writes = writes.then(work).catch(() => undefined)
    },
    trouble: () => trouble,
    log(step) {
      return createStepLog(masker, (lines) => {
        const at = new Date().toISOString()
        for (const line of lines) listener({ type: "step-logged", step, line, at })
        saveLog(step, lines.join("\n") + "\n")
      })
    },
    async close() {
      clearTimeout(snapshot)
      await journal.close().catch(noteTrouble)
      await writes
      if (trouble !== undefined) throw trouble
      await writeDurably(join(dir, "run.json"), JSON.stringify(state.record, null, 2) + "\n")
    },
  }
}

/** A renderer with a bug must not take the run down: it is told once and not asked again. */
function tolerant(listener: (event: Stamped<RunEvent>) => void): (event: Stamped<RunEvent>) => void {
  let quiet = false
  return (event) => {
    if (quiet) return
    try {
      listener(event)
    } catch (cause) {
      quiet = true
      process.emitWarning(`What shows the run failed and is switched off: ${(cause as Error).stack ?? String(cause)}`)
    }
  }
}

/** Whole or not at all for a reader; not synced, because the journal is. */
async function replace(dir: string, name: string, text: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  const temporary = join(dir, `.${name}.tmp`)
  await writeFile(temporary, text)
  await rename(temporary, join(dir, name))
}
