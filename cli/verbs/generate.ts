import type { GeneratedFile } from "../../ci/generated.js"
import { gitlabFolder } from "../../ci/gitlab/model.js"
import { driftOf, writeGenerated } from "../../ci/write.js"
import { findProject, loadProject } from "../../config/index.js"
import { fault, isFault } from "../../core/errors.js"
import type { Pipeline } from "../../core/pipeline.js"
import { git, namesIn, tryGit } from "../../steps/git.js"
import type { Settings } from "../../steps/settings.js"
import { exitCodes } from "../exit.js"
import { pipelineOf } from "../pipelines.js"

export interface GenerateOptions {
  readonly pipeline: string
  readonly check?: boolean
  readonly stdout?: boolean
  readonly force?: boolean
}

/** `gantry generate gitlab|github`: the files that make a CI system run a pipeline. 5 when `--check` finds a difference. */
export async function generate(cwd: string, host: string, options: GenerateOptions): Promise<number> {
  const root = await findProject(cwd)
  // Git answers while the configuration is read. What it complains about comes after what the configuration is blamed for.
  const tracked = host === "gitlab" ? trackedFiles(root) : repositoryAt(root).then(() => undefined)
  tracked.catch(() => undefined)
  const project = await loadProject(root)
  const pipeline = await pipelineOf(project, options.pipeline, project.settings)
  const files = await makeFiles(host, pipeline, project.settings, tracked)
  if (options.stdout === true) {
    for (const { path, text } of files) process.stdout.write(files.length > 1 ? `# ${path}\n${text}\n` : text)
    return exitCodes.ok
  }
  const drifts = await driftOf(root, files, host === "gitlab" ? [gitlabFolder] : [])
  if (options.check === true) {
    if (drifts.length === 0) return exitCodes.ok
    const { renderDrift } = await import("../../ci/diff.js")
    for (const drift of drifts) process.stdout.write(renderDrift(drift) + "\n")
    process.stderr.write(`To make them current: gantry generate ${host}\n`)
    return exitCodes.drift
  }
  await writeGenerated(root, drifts, { force: options.force === true })
  for (const { path, kind } of drifts) process.stderr.write(`${kind === "extra" ? "removed" : "wrote"} ${path}\n`)
  if (drifts.length === 0) process.stderr.write(`${files.map((f) => f.path).join(", ")}: nothing has changed\n`)
  return exitCodes.ok
}

async function makeFiles(
  host: string,
  pipeline: Pipeline,
  settings: Settings,
  tracked: Promise<readonly string[] | undefined>,
): Promise<readonly GeneratedFile[]> {
  switch (host) {
    case "gitlab": {
      const { generateGitlab } = await import("../../ci/gitlab/generate.js")
      return generateGitlab(pipeline, settings, { files: uncached(await tracked, settings.ci.cache.paths) })
    }
    case "github": {
      const { githubFile, generateGithub } = await import("../../ci/github/generate.js")
      await tracked
      return [{ path: githubFile(pipeline.name), text: generateGithub(pipeline, settings) }]
    }
    default:
      throw fault({
        code: "USAGE-GENERATE",
        kind: "usage",
        message: `gantry generate knows no "${host}"`,
        hint: "gantry generate gitlab | github",
      })
  }
}

/**
 * Whether the project is a repository.
 * @throws GENERATE-FOLDER when it is not the root of its repository: CI systems look for their files there
 */
async function repositoryAt(root: string): Promise<boolean> {
  const prefix = await tryGit(["rev-parse", "--show-prefix"], { cwd: root }).catch((cause: unknown) => {
    if (isFault(cause) && cause.code === "GIT-NO-REPOSITORY") return undefined
    throw cause
  })
  if (prefix === undefined || prefix.exitCode !== 0) return false
  if (prefix.stdout.trim() !== "") {
    throw fault({
      code: "GENERATE-FOLDER",
      kind: "usage",
      message: `The project lies in ${prefix.stdout.trim()} of its repository`,
      reason: "CI systems take their configuration from the root of a repository, and run jobs there.",
      hint: "Put gantry.config.ts into the root; services may lie in any folder below it.",
    })
  }
  return true
}

/**
 * Files under version control, and those that are about to be: a new file must not change what is generated when it is committed.
 * Undefined outside of a repository. @throws GENERATE-FOLDER
 */
async function trackedFiles(root: string): Promise<readonly string[] | undefined> {
  const list = git(["ls-files", "-z", "--cached", "--others", "--exclude-standard"], { cwd: root })
  list.catch(() => undefined)
  return (await repositoryAt(root)) ? namesIn(await list) : undefined
}

/** In a CI job the cache lies in the work tree, ignored by git or not. */
function uncached(files: readonly string[] | undefined, cached: readonly string[]): readonly string[] | undefined {
  const isCached = (file: string) => cached.some((path) => file.startsWith(path.replace(/\/*$/, "/")))
  return files && [...new Set(files.filter((file) => !isCached(file)))].sort()
}
