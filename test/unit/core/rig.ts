import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import type { Facts } from "../../../core/condition.js"
import type { RunEvent, Selection, Stamped } from "../../../core/events.js"
import { execute, type ExecuteOptions } from "../../../core/execute.js"
import type { Pipeline } from "../../../core/pipeline.js"
import { environmentSecrets } from "../../../core/secrets.js"
import type { SessionProvider } from "../../../core/session.js"
import { openStore } from "../../../core/store.js"

/** A session that must not be opened: the steps of these tests run on the host alone. */
export const noSession: SessionProvider = {
  open: () => Promise.reject(new Error("no engine in unit tests")),
  classify: () => undefined,
  close: () => Promise.resolve(),
}

/** A project folder of its own, removed after the test. */
export async function temporaryProject(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "gantry-test-"))
  onTestFinished(() => rm(dir, { recursive: true, force: true }))
  return dir
}

export interface RigOptions {
  readonly project?: string
  readonly selection?: Selection
  readonly facts?: Facts
  readonly env?: Record<string, string>
  readonly resume?: string
  readonly signal?: AbortSignal
  readonly concurrency?: number
  readonly commit?: string
}

/** Runs a pipeline of host-only steps and answers its record, events and folder. */
export async function runPipeline(pipeline: Pipeline, options: RigOptions = {}) {
  const project = options.project ?? (await temporaryProject())
  const events: Stamped<RunEvent>[] = []
  const store = openStore(project)
  const execution: ExecuteOptions = {
    store,
    project,
    pipeline,
    selection: options.selection ?? {},
    services: [],
    commit: options.commit ?? "c0ffee",
    dirty: false,
    facts: options.facts ?? {},
    secrets: environmentSecrets(options.env ?? {}),
    session: noSession,
    concurrency: options.concurrency ?? 4,
    listener: (event) => events.push(event),
    ...(options.resume === undefined ? {} : { resume: options.resume }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }
  const record = await execute(execution)
  return { record, events, project, store, step: (id: string) => record.steps.find((s) => s.id === id) }
}
