import type { PipelineSource, Project } from "../config/index.js"
import { fault, isFault } from "../core/errors.js"
import type { Pipeline } from "../core/pipeline.js"
import { nearest } from "../core/suggest.js"
import type { Settings } from "../steps/settings.js"

/** Pipelines that are there without being named in the configuration. Loaded when called: they bring every step along. */
const builtIn: Readonly<Record<string, () => Promise<PipelineSource>>> = {
  delivery: async () => (await import("../pipelines/delivery.js")).delivery,
  dev: async () => (await import("../pipelines/dev.js")).dev,
}

/** Makes the named pipeline of a project. @throws PIPELINE-UNKNOWN with the nearest name, PIPELINE-BROKEN */
export async function pipelineOf(project: Project, name: string, settings: Settings): Promise<Pipeline> {
  const { pipelines } = project
  const source = Object.hasOwn(pipelines, name)
    ? pipelines[name]
    : Object.hasOwn(builtIn, name)
      ? await builtIn[name]?.()
      : await rollbackNamed(name, settings)
  if (source === undefined) throw unknown(name, [...new Set([...Object.keys(builtIn), ...Object.keys(pipelines)])])
  if (typeof source !== "function") return named(source, name)
  let made: unknown
  try {
    made = source(settings)
  } catch (cause) {
    if (isFault(cause)) throw cause
    throw broken(name, (cause as Error).message, cause)
  }
  if (isPipeline(made)) return named(made, name)
  throw broken(name, `It answered ${made instanceof Promise ? "a promise" : typeof made}, not a pipeline.`, undefined)
}

/** Runs of `gantry rollback` are gone on with by the name of their environment. */
async function rollbackNamed(name: string, settings: Settings): Promise<PipelineSource | undefined> {
  const environment = /^rollback-(.+)$/.exec(name)?.[1]
  if (environment === undefined || !Object.hasOwn(settings.environments, environment)) return undefined
  const { rollbackOf } = await import("../pipelines/rollback.js")
  return (given) => rollbackOf(given, environment)
}

/** The name in the configuration is the one that people type and that a run is gone on with by. */
const named = (pipeline: Pipeline, name: string): Pipeline => Object.freeze({ ...pipeline, name })

function isPipeline(value: unknown): value is Pipeline {
  return (
    typeof value === "object" && value !== null && "name" in value && "steps" in value && Array.isArray(value.steps)
  )
}

function unknown(name: string, known: readonly string[]) {
  const near = nearest(name, known)
  return fault({
    code: "PIPELINE-UNKNOWN",
    kind: "usage",
    message: `There is no pipeline "${name}"${near === undefined ? "" : `; did you mean "${near}"?`}`,
    hint: `Pipelines are: ${known.join(", ")}. More are named in \`pipelines\` of gantry.config.ts.`,
  })
}

function broken(name: string, reason: string, cause: unknown) {
  const at = /\(?((?:\/|file:)[^\s()]+:\d+:\d+)\)?/.exec((cause as Error | undefined)?.stack ?? "")?.[1]
  return fault({
    code: "PIPELINE-BROKEN",
    kind: "usage",
    message: `The function of pipeline "${name}" does not make one`,
    reason: at === undefined ? reason : `${reason}\n${at}`,
    hint: "It is given the settings and answers pipeline(name, { targets: [ … ] }), not later but at once.",
    cause,
  })
}
