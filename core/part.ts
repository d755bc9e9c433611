import { fault } from "./errors.js"
import { runStarted, shared, stillOpen, type ExecuteOptions } from "./execute.js"
import { locked, perform, wantedSecrets } from "./perform.js"
import { nodeOf } from "./plan.js"
import { finishedAfter, type RunRecord, type StepRecord } from "./record.js"
import { emptyState, pendingRecord, type RunState } from "./fold.js"
import { checkSamePipeline } from "./resume.js"
import { readSecrets } from "./secrets.js"
import { predecessors, type AnyStep, type RunInfo } from "./step.js"
import { hasBegun, makeRun, readState, tidyRun } from "./store.js"

/** A part of a run that several processes share, each in a folder of its own: the job of a CI pipeline. */
export interface Part {
  /** Id of the run, the same in all of them. */
  readonly run: string
  /** Steps of the pipeline that this process does, each behind what it needs. */
  readonly steps: readonly AnyStep[]
  /** Verified records of what others did. Also of steps of this part that an earlier attempt finished. */
  readonly imports: readonly StepRecord[]
  /**
   * A journal that lies here already says nothing about what this part has done: only `imports` do. For parts that have to
   * do with a gate, because a journal has no seal.
   */
  readonly sealedOnly?: boolean
}

/**
 * Does a part of a run. The record that it answers has all the steps of the pipeline; its status is that of the part.
 * Nobody can know here whether an earlier attempt began an effect and left no record: effects look at their target first.
 * Where the folder holds a journal already (a runner that keeps its work tree), the part goes on with it.
 * @throws the errors of `execute`, RUN-OTHER-COMMIT
 */
export async function executePart(options: ExecuteOptions, part: Part): Promise<RunRecord> {
  const { pipeline, commit, dirty, facts } = options
  const { id, dir } = await makeRun(options.store, part.run)
  const run: RunInfo = { id, pipeline: pipeline.name, dir, project: options.project, commit, dirty, facts }
  return locked(run, async () => {
    const begun = await hasBegun(options.store, id)
    const state = begun ? await readState(options.store, id) : emptyState()
    if (state.record !== undefined) {
      if (state.record.commit !== commit) throw otherCommit(state.record, commit)
      checkSamePipeline(state.record, pipeline.steps)
    }
    const done = new Set(part.imports.map((record) => record.id))
    const again = new Set(outdated(part, state).map((record) => record.id))
    const left = state.record === undefined ? part.steps : stillOpen(state, part.steps)
    const open = part.steps.filter((s) => !done.has(s.id) && (left.includes(s) || again.has(s.id)))
    const secrets = await readSecrets(options.secrets, wantedSecrets(open, facts))
    await tidyRun(dir)
    return perform({
      ...shared(options),
      run,
      steps: part.steps,
      facts,
      state,
      first: begun ? { type: "run-resumed" } : runStarted(options, run, pipeline.steps),
      imports: [...part.imports, ...outdated(part, state)],
      mayHaveBegun: true,
      secrets,
    })
  })
}

/**
 * Steps that this folder's journal has as done and that are to be done again, because a job before them was or because the
 * journal does not count: as records that are pending. Where no journal was kept there are none.
 */
function outdated(part: Part, state: RunState): readonly StepRecord[] {
  const imported = new Map(part.imports.map((record) => [record.id, record]))
  const found = new Map<string, StepRecord>()
  for (const s of part.steps) {
    const record = state.index.get(s.id)
    if (record?.status !== "success" || imported.has(s.id)) continue
    const isNewer = predecessors(s).some((p) => {
      const before = imported.get(p.id)
      return found.has(p.id) || (before !== undefined && finishedAfter(before, record))
    })
    if (isNewer || part.sealedOnly === true)
      found.set(s.id, { ...pendingRecord(nodeOf(s)), ...(record.effect && { effect: record.effect }) })
  }
  return [...found.values()]
}

function otherCommit(record: RunRecord, commit: string) {
  return fault({
    code: "RUN-OTHER-COMMIT",
    kind: "usage",
    message: `Run ${record.id} is of commit ${record.commit.slice(0, 12)}, not of ${commit.slice(0, 12)}`,
    reason: "The folder of the run holds records of the other commit.",
    hint: "Remove .gantry/runs/ in the work tree of the runner, or let it clean the tree before each job.",
  })
}
