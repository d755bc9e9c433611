import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { onTestFinished } from "vitest"
import type { Facts } from "../../../core/condition.js"
import type { RunEvent, Selection, Stamped } from "../../../core/events.js"
import type { Fault } from "../../../core/errors.js"
import { execute, type ExecuteOptions } from "../../../core/execute.js"
import type { Pipeline } from "../../../core/pipeline.js"
import { environmentSecrets } from "../../../core/secrets.js"
import type { SessionProvider } from "../../../core/session.js"
import { listRuns, openStore, readRun } from "../../../core/store.js"

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
  readonly dirty?: boolean
  readonly session?: SessionProvider
  readonly patience?: ExecuteOptions["patience"]
  /** Called for every event as it happens. */
  readonly onEvent?: (event: Stamped<RunEvent>) => void
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
    dirty: options.dirty ?? false,
    facts: options.facts ?? {},
    secrets: environmentSecrets(options.env ?? {}),
    session: options.session ?? noSession,
    concurrency: options.concurrency ?? 4,
    listener: (event) => {
      events.push(event)
      options.onEvent?.(event)
    },
    ...(options.patience === undefined ? {} : { patience: options.patience }),
    ...(options.resume === undefined ? {} : { resume: options.resume }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  }
  const record = await execute(execution)
  return {
    record,
    events,
    project,
    store,
    dir: store.runDir(record.id),
    step: (id: string) => record.steps.find((s) => s.id === id),
    statuses: Object.fromEntries(record.steps.map((s) => [s.id, s.status])),
  }
}

/** The statuses in the record of the only run of a project, read from its journal. */
export async function onlyRun(project: string) {
  const store = openStore(project)
  const [id] = await listRuns(store)
  if (id === undefined) throw new Error("no run was recorded")
  return { id, record: await readRun(store, id), dir: store.runDir(id), store }
}

/** A promise that the test settles by hand. */
export function deferred<T = void>() {
  let resolve: (value: T) => void = () => {}
  let reject: (cause: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

/** Settles when the signal is aborted. */
export function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve()
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }))
}

/** Waits until something holds, asking now and then; fails when it does not hold in time. */
export async function until<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
): Promise<T> {
  const deadline = Date.now() + 15_000
  for (;;) {
    const answer = await ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > deadline) throw new Error(`it did not happen: ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

/** The error that something throws or rejects with; fails when it does not. */
export async function thrown(work: () => unknown): Promise<Fault> {
  try {
    await work()
  } catch (cause) {
    return cause as Fault
  }
  throw new Error("nothing was thrown")
}
