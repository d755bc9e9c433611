import { randomInt } from "node:crypto"
import { mkdir, readdir, readFile, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { fault } from "./errors.js"
import { fileFault, syncFolder } from "./files.js"
import { readJournal } from "./journal.js"
import { RunRecord } from "./record.js"
import { applyEvent, emptyState, type RunState } from "./fold.js"

/** `.gantry/` of a project. */
export interface Store {
  readonly root: string
  runDir(id: string): string
}

export function openStore(projectDir: string): Store {
  const root = join(projectDir, ".gantry")
  return { root, runDir: (id) => join(root, "runs", id) }
}

/** What can be a run's id, and so the name of a folder. */
const runIdPattern = /^(?!\.)[\w.-]{1,100}$/

/** Sorts by time, to the millisecond: of the tail three digits are that, the fourth keeps runs of one millisecond apart. */
export function newRunId(now = new Date()): string {
  const time = now.toISOString().replace(/[-:]/g, "").slice(0, 15).replace("T", "-")
  const milliseconds = now.getUTCMilliseconds().toString(16).padStart(3, "0")
  return `${time}-${milliseconds}${randomInt(16).toString(16)}`
}

/** Ids of all runs, newest first. A folder without events is none: its process died before it recorded anything. */
export async function listRuns(store: Store): Promise<readonly string[]> {
  const runs = join(store.root, "runs")
  const names = await readdir(runs).catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === "ENOENT") return []
    throw cause
  })
  const found = await Promise.all(
    names.map(async (name) => {
      const journal = await stat(join(runs, name, "events.ndjson")).catch(() => undefined)
      return (journal?.size ?? 0) > 0 ? { name, key: sortKey(name, journal?.mtime ?? new Date(0)) } : undefined
    }),
  )
  return found
    .filter((run) => run !== undefined)
    .sort((a, b) => (a.key < b.key ? 1 : a.key > b.key ? -1 : 0))
    .map((run) => run.name)
}

/** Our own ids tell when the run began. One from outside (gitlab-1234) does not: there the last event has to do. */
function sortKey(id: string, lastEvent: Date): string {
  return /^\d{8}-\d{6}-/.test(id) ? id : `${newRunId(lastEvent)} ${id}`
}

/**
 * Finds a run by its id, a unique beginning or end of it, or "last".
 * @throws RUN-UNKNOWN, RUN-AMBIGUOUS
 */
export async function findRun(store: Store, wanted: string): Promise<string> {
  const runs = await listRuns(store)
  if (wanted === "last" && runs[0] !== undefined) return runs[0]
  if (runs.includes(wanted)) return wanted
  const matches = runs.filter((id) => id.startsWith(wanted) || id.endsWith(wanted))
  if (matches.length === 1 && matches[0] !== undefined) return matches[0]
  if (matches.length === 0) throw unknownRun(store, wanted)
  throw fault({
    code: "RUN-AMBIGUOUS",
    kind: "usage",
    message: `"${wanted}" names several runs: ${matches.join(", ")}`,
    hint: "`gantry runs` lists them; `last` is the newest.",
  })
}

/** The state of a run from its journal: also right when the process died before it wrote run.json. @throws RUN-BROKEN */
export async function readState(store: Store, id: string): Promise<RunState> {
  const path = join(store.runDir(id), "events.ndjson")
  const state = emptyState()
  try {
    for (const event of await readJournal(path)) applyEvent(state, event)
  } catch (cause) {
    throw broken(id, path, cause)
  }
  if (state.record === undefined) throw broken(id, path, new Error("it does not begin with run-started"))
  return state
}

/** The record of a run, validated. @throws RUN-BROKEN */
export async function readRun(store: Store, id: string): Promise<RunRecord> {
  const state = await readState(store, id)
  const parsed = RunRecord.safeParse(state.record)
  if (!parsed.success) throw broken(id, store.runDir(id), parsed.error)
  return parsed.data
}

/** The log of a step as far as it is written; undefined when it has none. */
export async function readLog(store: Store, id: string, step: string): Promise<string | undefined> {
  return readFile(join(store.runDir(id), "steps", step, "log.txt"), "utf8").catch(() => undefined)
}

/**
 * Makes the folder of a run, durably: of a new one or, with `given`, of the one that goes on in several processes under an
 * id from outside. Its folder may be there already, with what other processes left for it.
 * @throws RUN-ID, DISK-FULL, FILE-DENIED
 */
export async function makeRun(store: Store, given?: string): Promise<{ readonly id: string; readonly dir: string }> {
  if (given !== undefined && !runIdPattern.test(given)) throw badId(given)
  for (;;) {
    const id = given ?? newRunId()
    const dir = store.runDir(id)
    const again = { recursive: given !== undefined }
    try {
      await mkdir(dirname(dir), { recursive: true })
      await mkdir(join(store.root, "objects"), { recursive: true })
      await mkdir(dir, again)
      await mkdir(join(dir, "steps"), again)
      await mkdir(join(dir, "artifacts"), again)
      await syncFolder(dir)
      await syncFolder(dirname(dir))
      return { id, dir }
    } catch (cause) {
      // Another run of this second has the same tail: take the next one.
      if (given !== undefined || (cause as NodeJS.ErrnoException).code !== "EEXIST") throw fileFault(cause, dir)
    }
  }
}

/** Whether a process has recorded anything of this run here. */
export async function hasBegun(store: Store, id: string): Promise<boolean> {
  const journal = join(store.runDir(id), "events.ndjson")
  return ((await stat(journal).catch(() => undefined))?.size ?? 0) > 0
}

/** The folder of a run to go on with; what a killed process left half-done in it is removed by tidyRun. @throws RUN-UNKNOWN */
export async function existingRun(store: Store, id: string): Promise<string> {
  const dir = store.runDir(id)
  if (runIdPattern.test(id) && (await exists(join(dir, "events.ndjson")))) return dir
  throw unknownRun(store, id)
}

/** Scratch folders are named so; they lie in the run's folder. */
export const scratchPrefix = ".scratch-"

/** Removes the scratch folders of attempts that were killed. Only for the one who holds the run's lock. */
export async function tidyRun(dir: string): Promise<void> {
  for (const name of await readdir(dir)) {
    if (name.startsWith(scratchPrefix)) await rm(join(dir, name), { recursive: true, force: true })
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
}

function badId(id: string) {
  return fault({
    code: "RUN-ID",
    kind: "usage",
    message: `"${id}" cannot be the id of a run`,
    reason: "It becomes the name of a folder: letters, digits, `.`, `_` and `-`, at most 100, and no dot at the start.",
    hint: "In GitLab CI and GitHub Actions leave it out: it comes from the pipeline.",
  })
}

function unknownRun(store: Store, wanted: string) {
  return fault({
    code: "RUN-UNKNOWN",
    kind: "usage",
    message: `There is no run "${wanted}"`,
    reason: `Runs lie in ${join(store.root, "runs")}.`,
    hint: "`gantry runs` lists them; `last` is the newest.",
  })
}

function broken(id: string, path: string, cause: unknown) {
  return fault({
    code: "RUN-BROKEN",
    kind: "errored",
    message: `The record of run ${id} cannot be read`,
    reason: `${path}: ${(cause as Error).message}`,
    hint: "Somebody or something changed its files. Start a new run; keep the folder if you want to know more.",
    cause,
  })
}
