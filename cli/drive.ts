import { audiencesOf } from "../ci/id-tokens.js"
import { ciSecrets } from "../ci/secrets.js"
import type { Project } from "../config/index.js"
import type { Facts } from "../core/condition.js"
import { toErrorRecord } from "../core/errors.js"
import type { RunEvent, Selection } from "../core/events.js"
import { execute, type ExecuteOptions } from "../core/execute.js"
import type { Masker } from "../core/mask.js"
import { executePart, type Part } from "../core/part.js"
import type { Pipeline } from "../core/pipeline.js"
import type { RunRecord } from "../core/record.js"
import type { SecretSource } from "../core/secrets.js"
import { openStore, readRun, type Store } from "../core/store.js"
import { checkCluster, clustersOf } from "../environments/targets/clusters.js"
import { withDevelopment } from "../environments/development.js"
import { targetsOf } from "../environments/targets/where.js"
import type { View } from "../report/terminal.js"
import type { Settings } from "../steps/settings.js"
import { askAtGate } from "./ask.js"
import { exitCodeOf } from "./exit.js"
import { onInterrupt } from "./interrupt.js"
import { keepBack } from "./keep-back.js"
import { writeReport } from "./report-file.js"
import { sessionFor } from "./session.js"
import { mayAsk, openView, type JobView } from "./view.js"

export interface Drive {
  readonly project: Project
  readonly settings: Settings
  readonly pipeline: Pipeline
  readonly selection: Selection
  readonly commit: string
  readonly dirty: boolean
  readonly facts: Facts
  readonly resume?: RunRecord
  readonly json: boolean
  readonly concurrency: number
  /** False: whoever reads standard output is told something else than the run. Default true. */
  readonly printId?: boolean
  /** Only this part of a run, whose other parts other processes do. */
  readonly part?: Part
  readonly job?: JobView
  /** Of this process, or what a test has in its place; secrets are taken out of it. */
  readonly env?: NodeJS.ProcessEnv
  /** Default: the environment. */
  readonly secrets?: SecretSource
  readonly masker?: Masker
  /** Told every event besides the view. */
  listener?(event: RunEvent): void
}

/** A run that can be performed, with everything around it open: the view, the engine's session, interruption. */
export interface Stage {
  readonly store: Store
  readonly view: View
  readonly signal: AbortSignal
  /** Performs it. @param resume id of a run to go on with */
  run(resume?: string): Promise<RunRecord>
}

/** Opens what a run needs, lets `work` have it, and closes it again whatever happens. */
export async function onStage<T>(options: Drive, work: (stage: Stage) => Promise<T>): Promise<T> {
  const { settings, part } = options
  const { env = process.env } = options
  keepBack(env, options.pipeline.steps, settings.ci)
  const store = openStore(settings.root)
  const view = openView({ json: options.json, record: options.resume, job: options.job })
  const interrupt = onInterrupt((text) => view.print(text))
  const session = sessionFor(settings, view)
  const { environments } = withDevelopment(settings)
  const run = async (resume?: string) => {
    const clusters = part === undefined ? await clustersFor(resume) : undefined
    const execution: ExecuteOptions = {
      store,
      project: settings.root,
      pipeline: options.pipeline,
      selection: options.selection,
      services: settings.services.map((s) => s.name),
      commit: options.commit,
      dirty: options.dirty,
      facts: { ...options.facts, targets: targetsOf(environments), clusters },
      secrets: options.secrets ?? ciSecrets(env, undefined, audiencesOf(options.pipeline.steps)),
      session,
      concurrency: options.concurrency,
      listener: (event) => {
        view.event(event)
        options.listener?.(event)
      },
      masker: options.masker,
      signal: interrupt.signal,
      ...(resume === undefined ? {} : { resume }),
    }
    return part === undefined ? execute(execution) : executePart(execution, part)
  }
  /** Of a run that begins, those that it is on; of one that goes on, after a look whether it is still there. */
  const clustersFor = async (resume: string | undefined): Promise<Facts["clusters"]> => {
    if (resume === undefined) {
      const found = await clustersOf(environments)
      return Object.keys(found).length === 0 ? undefined : found
    }
    const { clusters } = (await readRun(store, resume)).facts as Facts
    const names = new Set(options.pipeline.steps.map((s) => s.definition.environment))
    for (const [name, environment] of Object.entries(environments)) {
      if (names.has(name)) await checkCluster(environment, clusters?.[name])
    }
    return clusters
  }
  try {
    return await work({ store, view, signal: interrupt.signal, run })
  } finally {
    view.stop()
    await session.close()
    interrupt.release()
  }
}

/** Runs a pipeline, asks at the gate where somebody sits, writes the HTML report. Answers the exit code. */
export async function drive(options: Drive): Promise<number> {
  return onStage(options, async ({ store, view, signal, run }) => {
    let resume = options.resume?.id
    for (;;) {
      const record = await run(resume)
      const report = await writeReport(store, record).catch((error: unknown) => {
        view.print(`The report could not be written: ${toErrorRecord(error).message}`)
        return undefined
      })
      if (record.status === "waiting" && !options.json && mayAsk()) {
        view.suspend()
        const decided = await askAtGate(options.settings, store, record, signal)
        view.resume()
        if (decided) {
          resume = record.id
          continue
        }
      }
      if (report !== undefined) view.print(`Report: ${report}`)
      if (!options.json && options.printId !== false && process.stdout.isTTY !== true)
        process.stdout.write(`${record.id}\n`)
      return exitCodeOf(record.status)
    }
  })
}
