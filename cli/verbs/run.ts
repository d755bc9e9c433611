import { findProject, loadProject, selectServices } from "../../config/index.js"
import type { Selection } from "../../core/events.js"
import type { Facts } from "../../core/condition.js"
import { findRun, openStore, readRun } from "../../core/store.js"
import { drive } from "../drive.js"
import { fault } from "../../core/errors.js"
import { pipelineOf } from "../pipelines.js"
import { chooseSource } from "../source.js"

export interface SourceOptions {
  readonly service?: readonly string[]
  readonly until?: string
  readonly only?: string
  readonly commit?: string
  readonly dirty?: boolean
  readonly mergeRequest?: string
}
export interface RunOptions extends SourceOptions {
  readonly json?: boolean
  readonly concurrency?: number
}

/** `gantry run <pipeline>`: a new run. Answers the exit code. */
export async function run(cwd: string, name: string, options: RunOptions): Promise<number> {
  const root = await findProject(cwd)
  const project = await loadProject(root)
  const settings = selectServices(project.settings, options.service)
  const pipeline = await pipelineOf(project, name, settings)
  const source = await chooseSource(root, options)
  return drive({
    project,
    settings,
    pipeline,
    selection: selectionOf(options),
    commit: source.commit,
    dirty: source.dirty,
    facts: source.facts,
    json: options.json === true,
    concurrency: concurrencyOf(options.concurrency),
  })
}

/** `gantry resume <run>`: the same pipeline, commit and selection as it was begun with. */
export async function resume(cwd: string, wanted: string, options: RunOptions): Promise<number> {
  const root = await findProject(cwd)
  const project = await loadProject(root)
  const store = openStore(root)
  const record = await readRun(store, await findRun(store, wanted))
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
function concurrencyOf(given: number | undefined): number {
  if (given === undefined) return 4
  if (Number.isInteger(given) && given > 0) return given
  throw fault({
    code: "USAGE-CONCURRENCY",
    kind: "usage",
    message: "--concurrency takes a whole number from 1",
    hint: "Leave it out for 4.",
  })
}
