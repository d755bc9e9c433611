import { cp, mkdir, readdir, stat } from "node:fs/promises"
import { join } from "node:path"
import { findJob } from "../../../ci/find-job.js"
import { earlierRecords, gateOf, sealRecords } from "../../../ci/records.js"
import type { Facts } from "../../../core/condition.js"
import type { RunEvent, Stamped } from "../../../core/events.js"
import { executePart } from "../../../core/part.js"
import type { Pipeline } from "../../../core/pipeline.js"
import { environmentSecrets } from "../../../core/secrets.js"
import { openStore } from "../../../core/store.js"
import { noSession, temporaryProject } from "../core/rig.js"

export const commit = "c0ffee".padEnd(40, "0")
export const key = "a key that is long enough"

export interface JobRun {
  readonly pipeline: Pipeline
  readonly job: string
  /** Folders of the jobs whose artifacts this one gets. */
  readonly from?: readonly string[]
  /** Folder of its own; else a fresh one. */
  readonly project?: string
  readonly run?: string
  readonly commit?: string
  readonly key?: string | undefined
  readonly facts?: Facts
  readonly env?: Record<string, string>
  readonly signal?: AbortSignal
}

/** Runs one job in a folder of its own, with what the artifacts of the jobs before it bring along. */
export async function runJob(options: JobRun) {
  const project = options.project ?? (await temporaryProject())
  for (const from of options.from ?? []) await bring(from, project)
  const store = openStore(project)
  const run = options.run ?? "gitlab-1"
  const origin = { run, pipeline: options.pipeline.name, commit: options.commit ?? commit }
  const sealKey = "key" in options ? options.key : key
  const job = findJob(options.pipeline, options.job)
  const runDir = store.runDir(run)
  const facts = options.facts ?? {}
  const imports = await earlierRecords({ pipeline: options.pipeline, job, runDir, origin, facts, key: sealKey })
  const events: Stamped<RunEvent>[] = []
  const record = await executePart(
    {
      store,
      project,
      pipeline: options.pipeline,
      selection: {},
      services: [],
      commit: origin.commit,
      dirty: false,
      facts,
      secrets: environmentSecrets(options.env ?? {}),
      session: noSession,
      concurrency: 4,
      listener: (event) => void events.push(event),
      ...(options.signal === undefined ? {} : { signal: options.signal }),
    },
    { run, steps: job.steps, imports, sealedOnly: gateOf(options.pipeline, job) !== undefined },
  )
  await sealRecords(record, { job, runDir, origin, key: sealKey })
  const statuses = Object.fromEntries(record.steps.map((s) => [s.id, s.status]))
  return {
    project,
    store,
    dir: runDir,
    record,
    events,
    statuses,
    step: (id: string) => record.steps.find((s) => s.id === id),
    sealed: (id: string) => join(runDir, "steps", id, "sealed.json"),
  }
}

/** What the generated `artifacts: paths` hand on: records, statements, artifacts; no journal, no archive of an image. */
export async function bring(from: string, to: string): Promise<void> {
  const runs = join(from, ".gantry", "runs")
  for (const run of await readdir(runs)) {
    for (const folder of ["steps", "approvals", "artifacts"]) {
      const source = join(runs, run, folder)
      if ((await stat(source).catch(() => undefined)) === undefined) continue
      const target = join(to, ".gantry", "runs", run, folder)
      await mkdir(target, { recursive: true })
      await cp(source, target, { recursive: true, filter: (path) => !path.endsWith(".tar") })
    }
  }
}
