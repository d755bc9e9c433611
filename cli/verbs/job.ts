import { findJob } from "../../ci/find-job.js"
import { earlierRecords, gateOf, sealRecords } from "../../ci/records.js"
import { audiencesOf } from "../../ci/id-tokens.js"
import { ciSecrets, ciTokens, recordKey } from "../../ci/secrets.js"
import { ciRun, factsOf, type CiRun } from "../../ci/variables.js"
import { findProject, loadProject, type Project } from "../../config/index.js"
import type { Facts } from "../../core/condition.js"
import { fault, isFault, toErrorRecord, type Fault } from "../../core/errors.js"
import type { Job } from "../../core/jobs.js"
import { createMasker, type Masker } from "../../core/mask.js"
import type { Pipeline } from "../../core/pipeline.js"
import { isBlocked } from "../../core/record.js"
import { recordKeyName, type RecordOrigin } from "../../core/sealed.js"
import { hasBegun, openStore, readRun } from "../../core/store.js"
import { changeBetween, narrow, type Narrowed } from "../changed.js"
import { onStage } from "../drive.js"
import { exitCodeOf, exitCodes } from "../exit.js"
import { keepBack } from "../keep-back.js"
import { jobStatuses } from "../job-statuses.js"
import { jobFiles, refusedFiles } from "../job-files.js"
import { pipelineOf } from "../pipelines.js"
import { chooseSource, type SourceChoice } from "../source.js"
import { concurrencyOf } from "./run.js"

export interface JobOptions {
  readonly pipeline: string
  readonly run?: string
  readonly json?: boolean
  readonly concurrency?: number
}

/**
 * `gantry job <job> --pipeline <pipeline>`: one job of a run that goes on in several processes. Takes the verified records of
 * the jobs before it, does its steps, seals their records and leaves the report files in `.gantry/ci/<job>/`. Answers the
 * exit code.
 */
export async function job(
  cwd: string,
  name: string,
  options: JobOptions,
  env: NodeJS.ProcessEnv = process.env,
): Promise<number> {
  const root = await findProject(cwd)
  const masker = createMasker(ciTokens(env))
  try {
    return await runJob(root, name, options, env, masker)
  } catch (error) {
    // A CI system warns about reports that are missing, and the comment on the merge request should say why.
    await refusedFiles({ root, name, pipeline: options.pipeline, env, masker, error }).catch(() => undefined)
    throw error
  }
}

async function runJob(
  root: string,
  name: string,
  options: JobOptions,
  env: NodeJS.ProcessEnv,
  masker: Masker,
): Promise<number> {
  const ci = ciRun(env)
  const run = runId(ci, options)
  const key = recordKey(env, ci)
  // No step and no tool that one starts is to find it.
  delete env[recordKeyName]
  const store = openStore(root)
  const begun = (await hasBegun(store, run)) ? await readRun(store, run) : undefined
  const project = await loadProject(root, { targets: (begun?.facts as Facts | undefined)?.targets, env })
  const scene = await sceneOf(root, project, options.pipeline, ci, env)
  const { settings, pipeline, source, notes } = scene
  const found = await jobIn(scene, project, name)
  for (const note of notes) process.stderr.write(`${masker.text(note)}\n`)
  const origin: RecordOrigin = { run, pipeline: options.pipeline, commit: source.commit }
  const runDir = store.runDir(run)
  const files = { root, runDir, settings, masker, commit: source.commit }
  if (pipeline === undefined || found === undefined) {
    process.stderr.write(`Job ${name} has nothing to do: the change affects nothing of it.\n`)
    await jobFiles({ ...files, job: name, own: [], origin })
    return exitCodes.ok
  }
  // Also what steps declare that the change leaves out: they are no business of the others.
  if (scene.services !== undefined) {
    const whole = await pipelineOf(project, options.pipeline, project.settings)
    keepBack(env, whole.steps, project.settings.ci)
  }
  const imports = await earlierRecords({ pipeline, job: found, runDir, origin, facts: source.facts, key })
  const own = new Set(found.steps.map((s) => s.id))
  const kept = begun === undefined ? {} : { resume: begun }
  const warn = (text: string) => void process.stderr.write(masker.text(`warning: ${text}\n`))
  const statuses = await jobStatuses({ settings, ci, commit: source.commit, own, env, masker, warn })
  const stage = {
    ...kept,
    listener: statuses.event,
    project,
    settings,
    pipeline,
    selection: scene.services === undefined ? {} : { services: scene.services },
    commit: source.commit,
    dirty: false,
    facts: source.facts,
    json: options.json === true,
    concurrency: concurrencyOf(options.concurrency),
    part: { run, steps: found.steps, imports, sealedOnly: gateOf(pipeline, found) !== undefined },
    job: { name: found.name, own, host: logHost(env) },
    env,
    secrets: ciSecrets(env, ci, audiencesOf(pipeline.steps)),
    masker,
  }
  return onStage(stage, async ({ view, run: perform }) => {
    const record = await perform()
    await statuses.done()
    await sealRecords(record, { job: found, runDir, origin, key })
    await jobFiles({ ...files, job: found.name, own: [...own], origin, record }).catch((error: unknown) => {
      view.print(`The report files could not be written: ${toErrorRecord(error).message}`)
    })
    const blocked = record.steps.filter((s) => own.has(s.id)).flatMap((s) => isBlocked(s) ?? [])
    if (record.status === "failed" && blocked[0] !== undefined) view.print(`Nothing was run behind it: ${blocked[0]}.`)
    return exitCodeOf(record.status)
  })
}

/** In CI the pipeline is the run; elsewhere somebody has to say which run the job belongs to. @throws JOB-RUN */
function runId(ci: CiRun | undefined, options: JobOptions): string {
  if (ci !== undefined && (options.run === undefined || options.run === ci.run)) return ci.run
  if (ci === undefined && options.run !== undefined) return options.run
  throw fault({
    code: "JOB-RUN",
    kind: "usage",
    message:
      ci === undefined
        ? "It is not known which run this job belongs to"
        : `This job belongs to ${ci.run}, not to ${options.run ?? ""}`,
    reason: ci === undefined ? "This is neither GitLab CI nor GitHub Actions." : "In CI the pipeline is the run.",
    hint:
      ci === undefined
        ? "Say it, the same for all jobs: --run try-1. To run everything in one process: gantry run <pipeline>."
        : "Leave out --run.",
  })
}

interface Scene extends Narrowed {
  readonly source: SourceChoice
  /** Undefined: no service is affected. */
  readonly pipeline: Pipeline | undefined
  readonly name: string
}

/** What is delivered, and the pipeline of the services that the change affects. */
async function sceneOf(
  root: string,
  project: Project,
  name: string,
  ci: CiRun | undefined,
  env: NodeJS.ProcessEnv,
): Promise<Scene> {
  const chosen = await chooseSource(root, ci === undefined ? {} : { commit: ci.commit }, env).catch(
    (error: unknown) => {
      throw ci !== undefined && isFault(error) && error.code === "COMMIT-UNKNOWN" ? commitGone(ci, error) : error
    },
  )
  if (ci === undefined) {
    const pipeline = await pipelineOf(project, name, project.settings)
    return { settings: project.settings, services: undefined, notes: [], source: chosen, pipeline, name }
  }
  const change =
    ci.base === undefined
      ? { changed: undefined, note: ci.noBase ?? "nothing is known of the change" }
      : await changeBetween(root, ci.base, ci.commit)
  const narrowed = narrow(project.settings, change)
  const source = { commit: chosen.commit, dirty: false, facts: factsOf(ci, change.changed) }
  const nothing = narrowed.services?.length === 0
  const pipeline = nothing ? undefined : await pipelineOf(project, name, narrowed.settings)
  return { ...narrowed, source, pipeline, name }
}

/**
 * GitLab keeps the commit of a pipeline under refs/pipelines while the pipeline lasts, and GIT_DEPTH 0 fetches that and all branches:
 * so a branch that is deleted meanwhile is no obstacle (app/presenters/ci/build_runner_presenter.rb, `refspecs`).
 */
function commitGone(ci: CiRun, cause: Fault): Fault {
  return fault({
    code: cause.code,
    kind: "usage",
    message: `The commit of this pipeline is not in the clone: ${ci.commit}`,
    reason: `${ci.ref ?? "Its branch"} was deleted or pushed over and the pipeline is over, or the clone is shallow.`,
    hint: "Start a new pipeline, of a branch that is there. The generated file clones with GIT_DEPTH: 0; GIT_STRATEGY: none brings nothing.",
    cause,
  })
}

/** The job; undefined when it is one of a service that the change does not affect. @throws JOB-UNKNOWN */
async function jobIn(scene: Scene, project: Project, name: string): Promise<Job | undefined> {
  const { pipeline, services } = scene
  if (services === undefined && pipeline !== undefined) return findJob(pipeline, name)
  try {
    if (pipeline !== undefined) return findJob(pipeline, name)
  } catch (error) {
    if (!isFault(error) || error.code !== "JOB-UNKNOWN") throw error
  }
  // It has to be a job of the whole pipeline, or it is none.
  findJob(await pipelineOf(project, scene.name, project.settings), name)
  return undefined
}

/** GitLab's and GitHub's logs have sections; what runs the same file elsewhere shows plain lines. */
function logHost(env: NodeJS.ProcessEnv): "gitlab" | "github" | undefined {
  if (env["GITLAB_CI"] === "true") return "gitlab"
  return env["GITHUB_ACTIONS"] === "true" ? "github" : undefined
}
