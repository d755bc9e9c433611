import { mkdir, appendFile, rename, writeFile } from "node:fs/promises"
import { join } from "node:path"
import type { RunEvent, Stamped, StepLogged } from "./events.js"
import { fileFault, writeDurably } from "./files.js"
import { openJournal } from "./journal.js"
import { createMasker, type Masker } from "./mask.js"
import { applyEvent, type RunRecord, type RunState } from "./record.js"

/**
 * Everything that a run leaves goes through here and is masked here: the journal (the truth), `run.json` and
 * `steps/<id>/result.json` (made from it for readers), the steps' logs, and the listeners.
 */
export interface Recorder {
  readonly record: RunRecord
  /** Notes an event; durable soon. */
  emit(event: RunEvent): void
  /** Notes an event; settles when it is on the disk. */
  emitDurably(event: RunEvent): Promise<void>
  /** The writer of a step's log. */
  log(step: string): { write(chunk: string): void; line(text: string): void; end(): void }
  /** A further value that must not be seen. */
  mask(value: string): void
  maskText(value: string): string
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
}): Promise<Recorder> {
  const { dir, state, listener } = options
  const journal = await openJournal(join(dir, "events.ndjson"))
  const secrets = [...options.secrets]
  let masker: Masker = createMasker(secrets)
  let writes: Promise<void> = Promise.resolve()
  let trouble: unknown
  let snapshot: NodeJS.Timeout | undefined

  /** Files for readers are written one after the other, off the way of the steps; the first trouble is kept for close(). */
  const later = (path: string, work: () => Promise<void>) => {
    writes = writes.then(work).catch((cause: unknown) => {
      trouble ??= fileFault(cause, path)
    })
  }
  const emit = (event: RunEvent) => {
    const stamped = masker.json({ at: new Date().toISOString(), ...event }) as Stamped<RunEvent>
    applyEvent(state, stamped)
    journal.append(stamped)
    listener(stamped)
    if (event.type === "step-finished") {
      const stepDir = join(dir, "steps", event.step)
      const text = JSON.stringify(state.index.get(event.step), null, 2) + "\n"
      later(stepDir, () => writeResult(stepDir, text))
    }
    snapshot ??= setTimeout(() => {
      snapshot = undefined
      later(dir, () => writeResult(dir, JSON.stringify(state.record, null, 2) + "\n", "run.json"))
    }, snapshotPause).unref()
  }
  emit(options.first)
  await journal.flush()

  return {
    get record() {
      return state.record as RunRecord
    },
    emit,
    async emitDurably(event) {
      emit(event)
      await journal.flush()
    },
    mask(value) {
      secrets.push(value)
      masker = createMasker(secrets)
    },
    maskText: (value) => masker.text(value),
    trouble: () => trouble ?? journal.trouble(),
    log(step) {
      const path = join(dir, "steps", step, "log.txt")
      let stream = masker.stream()
      let rest = ""
      const lines = (text: string) => {
        const parts = (rest + text).split(/\r?\n/)
        rest = parts.pop() ?? ""
        if (parts.length === 0) return
        for (const line of parts) {
          const event: Stamped<StepLogged> = { type: "step-logged", step, line, at: new Date().toISOString() }
          listener(event)
        }
        later(path, () => append(join(dir, "steps", step), parts.join("\n") + "\n"))
      }
      const end = () => {
        lines(stream.flush())
        if (rest !== "") lines("\n")
        stream = masker.stream()
      }
      return {
        write: (chunk) => lines(stream.push(chunk)),
        line(text) {
          end()
          lines(masker.text(text) + "\n")
        },
        end,
      }
    },
    async close() {
      clearTimeout(snapshot)
      try {
        await journal.close()
      } catch (cause) {
        trouble ??= cause
      }
      await writes
      if (trouble === undefined) {
        await writeDurably(join(dir, "run.json"), JSON.stringify(state.record, null, 2) + "\n")
      }
      if (trouble !== undefined) throw trouble
    },
  }
}

async function writeResult(dir: string, text: string, name = "result.json"): Promise<void> {
  await mkdir(dir, { recursive: true })
  const temporary = join(dir, `.${name}.tmp`)
  await writeFile(temporary, text)
  await rename(temporary, join(dir, name))
}

async function append(dir: string, text: string): Promise<void> {
  await mkdir(dir, { recursive: true })
  await appendFile(join(dir, "log.txt"), text)
}
