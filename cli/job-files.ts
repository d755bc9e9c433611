import { join } from "node:path"
import { fileLocator } from "../ci/locate.js"
import { ciRun } from "../ci/variables.js"
import { toErrorRecord } from "../core/errors.js"
import type { Masker } from "../core/mask.js"
import type { RunRecord } from "../core/record.js"
import type { RecordOrigin } from "../core/sealed.js"
import { stepIdPattern } from "../core/step-check.js"
import { openStore } from "../core/store.js"
import { bareRecord, writeCiFiles } from "../report/ci/write.js"
import { namesIn, tryGit } from "../steps/git.js"
import type { Settings } from "../steps/settings.js"
import { version } from "./version.js"

const ciDir = (root: string, job: string) => join(root, ".gantry", "ci", job)

/** Writes `.gantry/ci/<job>/`. Without a record: the job had nothing to do. @throws DISK-FULL, FILE-DENIED */
export async function jobFiles(options: {
  readonly root: string
  readonly runDir: string
  readonly settings: Settings
  readonly masker: Masker
  readonly commit: string
  readonly job: string
  readonly own: readonly string[]
  readonly origin: RecordOrigin
  readonly record?: RunRecord
}): Promise<void> {
  const { root, job, settings, origin } = options
  const locator = await locatorOf(root, settings, options.commit)
  await writeCiFiles({
    dir: ciDir(root, job),
    runDir: options.runDir,
    record: options.record ?? bareRecord({ ...origin, status: "success" }),
    job,
    own: new Set(options.own),
    masker: options.masker,
    locate: locator.locate,
    folder: locator.folder,
    version: version(),
  })
}

/** The same for a job that was refused before it began. Knows no more than its name and its error. */
export async function refusedFiles(options: {
  readonly root: string
  readonly name: string
  readonly pipeline: string
  readonly env: NodeJS.ProcessEnv
  readonly masker: Masker
  readonly error: unknown
}): Promise<void> {
  const { root, name, pipeline, masker } = options
  if (!stepIdPattern.test(name)) return
  const { stack: _, ...error } = masker.json(toErrorRecord(options.error), new Set(["kind", "code"]))
  const ci = knownCi(options.env)
  const run = ci?.run ?? "none"
  await writeCiFiles({
    dir: ciDir(root, name),
    runDir: openStore(root).runDir(run),
    record: bareRecord({
      run,
      pipeline,
      commit: ci?.commit ?? "",
      status: error.kind === "usage" ? "failed" : error.kind,
      error: error as NonNullable<RunRecord["error"]>,
    }),
    job: name,
    own: new Set(),
    masker,
    locate: () => undefined,
    folder: () => undefined,
    version: version(),
  })
}

function knownCi(env: NodeJS.ProcessEnv) {
  try {
    return ciRun(env)
  } catch {
    return undefined // Its variables may be what the job was refused for.
  }
}

/** Where the repository has the files that tools name. */
async function locatorOf(root: string, settings: Settings, commit: string) {
  const prefix = await tryGit(["rev-parse", "--show-prefix"], { cwd: root })
  const files = await tryGit(["ls-tree", "-r", "-z", "--name-only", "--full-tree", commit], { cwd: root })
  const names = files.exitCode === 0 ? namesIn(files.stdout) : []
  return fileLocator(names, prefix.stdout.trimEnd(), new Map(settings.services.map((s) => [s.name, s.path])))
}
