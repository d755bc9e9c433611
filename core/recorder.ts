import { join } from "node:path"
import type { RunEvent, Stamped } from "./events.js"
import { writeDurably } from "./files.js"
import { openJournal } from "./journal.js"
import { maskEvent } from "./mask-event.js"
import { createMasker, type Masker } from "./mask.js"
import { createReaderFiles } from "./reader-files.js"
import type { RunRecord, StepRecord } from "./record.js"
import { applyEvent, type RunState } from "./fold.js"
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
  later(work: () => void): void
  /** What broke the journal (a full disk), if anything did: a run that cannot be recorded must not go on. */
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
  /** Masks with what somebody else knows beside `secrets`, and learns what turns up during the run. */
  readonly masker?: Masker | undefined
  readonly listener: (event: Stamped<RunEvent>) => void
  /** Called once, when the journal cannot be written any more. */
  readonly onTrouble?: (trouble: unknown) => void
}): Promise<Recorder> {
  const { dir, state } = options
  const masker = options.masker ?? createMasker([])
  for (const value of options.secrets) masker.add(value)
  const listener = tolerant(options.listener)
  const journal = await openJournal(join(dir, "events.ndjson"), options.onTrouble)
  const files = createReaderFiles()
  let snapshot: NodeJS.Timeout | undefined

  const pretty = (value: unknown) => JSON.stringify(value, null, 2) + "\n"
  const saveResult = (step: string) =>
    files.replace(join(dir, "steps", step, "result.json"), () => pretty(state.index.get(step)))
  const emit = (event: RunEvent) => {
    const stamped = { at: new Date().toISOString(), ...maskEvent(event, masker) } as Stamped<RunEvent>
    applyEvent(state, stamped)
    journal.append(stamped)
    listener(stamped)
    if (event.type === "step-finished" || event.type === "step-imported") saveResult(event.step)
    snapshot ??= setTimeout(() => {
      snapshot = undefined
      files.replace(join(dir, "run.json"), () => pretty(state.record))
    }, snapshotPause).unref()
  }

  emit(options.first)
  try {
    await journal.flush()
  } catch (cause) {
    clearTimeout(snapshot)
    await journal.close().catch(() => undefined)
    throw cause
  }
  // What the process before this one recorded but had no time to write for readers.
  for (const [id, s] of state.index) if (s.finishedAt !== undefined) saveResult(id)

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
    later: (work) => files.later(work),
    trouble: () => journal.trouble(),
    log(step) {
      return createStepLog(masker, (lines) => {
        const at = new Date().toISOString()
        for (const line of lines) listener({ type: "step-logged", step, line, at })
        files.append(join(dir, "steps", step, "log.txt"), lines.join("\n") + "\n")
      })
    },
    async close() {
      clearTimeout(snapshot)
      const closed = await Promise.allSettled([journal.close(), files.close()])
      for (const part of closed) if (part.status === "rejected") throw part.reason
      await writeDurably(join(dir, "run.json"), pretty(state.record))
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
