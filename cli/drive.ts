import type { Project } from "../config/index.js"
import type { Facts } from "../core/condition.js"
import { toErrorRecord } from "../core/errors.js"
import type { Selection } from "../core/events.js"
import { execute } from "../core/execute.js"
import type { Pipeline } from "../core/pipeline.js"
import type { RunRecord } from "../core/record.js"
import { environmentSecrets } from "../core/secrets.js"
import { openStore } from "../core/store.js"
import type { Settings } from "../steps/settings.js"
import { askAtGate } from "./ask.js"
import { exitCodeOf } from "./exit.js"
import { onInterrupt } from "./interrupt.js"
import { writeReport } from "./report-file.js"
import { sessionFor } from "./session.js"
import { mayAsk, openView } from "./view.js"

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
}

/**
 * Runs a pipeline with everything around it: the view, the engine's session, interruption, the question at the gate, the
 * HTML report. Answers the exit code.
 */
export async function drive(options: Drive): Promise<number> {
  const { settings } = options
  const store = openStore(settings.root)
  const view = openView({ json: options.json, record: options.resume })
  const interrupt = onInterrupt((text) => view.print(text))
  const session = sessionFor(settings, view)
  let resume = options.resume?.id
  try {
    for (;;) {
      const record = await execute({
        store,
        project: settings.root,
        pipeline: options.pipeline,
        selection: options.selection,
        services: settings.services.map((s) => s.name),
        commit: options.commit,
        dirty: options.dirty,
        facts: options.facts,
        secrets: environmentSecrets(process.env),
        session,
        concurrency: options.concurrency,
        listener: (event) => view.event(event),
        signal: interrupt.signal,
        ...(resume === undefined ? {} : { resume }),
      })
      const report = await writeReport(store, record).catch((error: unknown) => {
        view.print(`The report could not be written: ${toErrorRecord(error).message}`)
        return undefined
      })
      if (record.status === "waiting" && !options.json && mayAsk()) {
        view.suspend()
        const decided = await askAtGate(settings, store, record, interrupt.signal)
        view.resume()
        if (decided) {
          resume = record.id
          continue
        }
      }
      if (report !== undefined) view.print(`Report: ${report}`)
      if (!options.json && process.stdout.isTTY !== true) process.stdout.write(`${record.id}\n`)
      return exitCodeOf(record.status)
    }
  } finally {
    view.stop()
    await session.close()
    interrupt.release()
  }
}
