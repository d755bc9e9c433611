import { findProject, loadProject, selectServices } from "../../config/index.js"
import type { Selection } from "../../core/events.js"
import type { Facts } from "../../core/condition.js"
import { findRun, openStore, readRun } from "../../core/store.js"
import { fault } from "../../core/errors.js"
import type { Settings } from "../../steps/settings.js"
import { changeSince, narrow, type Narrowed } from "../changed.js"
import { drive } from "../drive.js"
import { exitCodes } from "../exit.js"
import { pipelineOf } from "../pipelines.js"
import { chooseSource, type SourceChoice } from "../source.js"

export interface SourceOptions {
  readonly service?: readonly string[]
  readonly until?: string
  readonly only?: string
  readonly commit?: string
  readonly dirty?: boolean
  readonly mergeRequest?: string
  readonly changedSince?: string
}
export interface RunOptions extends SourceOptions {
  readonly json?: boolean
  readonly concurrency?: number
}

/** `gantry run <pipeline>`: a new run. Answers the exit code. */
export async function run(cwd: string, name: string, options: RunOptions): Promise<number> {
  const root = await findProject(cwd)
  const project = await loadProject(root)
  const wanted = selectServices(project.settings, options.service)
  const source = await chooseSource(root, options)
  const narrowed = await changedOnly(root, wanted, source, options)
  if (narrowed.services?.length === 0) {
    process.stderr.write("Nothing to run: the change affects no service.\n")
    return exitCodes.ok
  }
  const { settings } = narrowed
  const pipeline = await pipelineOf(project, name, settings)
  return drive({
    project,
    settings,
    pipeline,
    selection: { ...selectionOf(options), ...(narrowed.services === undefined ? {} : { services: narrowed.services }) },
    commit: source.commit,
    dirty: source.dirty,
    facts: narrowed.facts,
    json: options.json === true,
    concurrency: concurrencyOf(options.concurrency),
  })
}

/** With --changed-since the services that the change affects, and the changed files for conditions; else all as it is. */
export async function changedOnly(
  root: string,
  settings: Settings,
  source: SourceChoice,
  options: SourceOptions,
): Promise<Narrowed & { readonly facts: Facts }> {
  if (options.changedSince === undefined) return { settings, services: undefined, notes: [], facts: source.facts }
  const change = source.dirty
    ? { changed: undefined, note: "the work tree is delivered" }
    : await changeSince(root, options.changedSince, source.commit)
  const narrowed = narrow(settings, change)
  for (const note of narrowed.notes) process.stderr.write(`${note}\n`)
  return { ...narrowed, facts: { ...source.facts, changed: change.changed } }
}

/** `gantry resume <run>`: the same pipeline, commit, selection and targets as it was begun with. */
export async function resume(cwd: string, wanted: string, options: RunOptions): Promise<number> {
  const root = await findProject(cwd)
  const store = openStore(root)
  const record = await readRun(store, await findRun(store, wanted))
  const project = await loadProject(root, { targets: (record.facts as Facts).targets })
  const settings = selectServices(project.settings, record.selection.services)
  const pipeline = await pipelineOf(project, record.pipeline, settings)
  return drive({
    project,
    settings,
    pipeline,
    selection: record.selection as Selection,
    commit: record.commit,
    dirty: record.dirty,
    facts: record.facts as Facts,
    resume: record,
    json: options.json === true,
    concurrency: concurrencyOf(options.concurrency),
  })
}

export function selectionOf(options: SourceOptions): Selection {
  if (options.until !== undefined && options.only !== undefined) {
    throw fault({
      code: "USAGE-SELECTION",
      kind: "usage",
      message: "--until and --only exclude each other",
      hint: "--until runs everything up to a step, --only that step and what it reads.",
    })
  }
  return {
    ...(options.service === undefined ? {} : { services: options.service }),
    ...(options.until === undefined ? {} : { until: options.until }),
    ...(options.only === undefined ? {} : { only: options.only }),
  }
}

/** Most steps wait for something that works elsewhere, so there may be more of them than cores. */
export function concurrencyOf(given: number | undefined): number {
  if (given === undefined) return 4
  if (Number.isInteger(given) && given > 0) return given
  throw fault({
    code: "USAGE-CONCURRENCY",
    kind: "usage",
    message: "--concurrency takes a whole number from 1",
    hint: "Leave it out for 4.",
  })
}
