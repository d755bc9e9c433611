import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises"
import { dirname, join, relative, sep } from "node:path"
import { fault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"
import { caEnvironment } from "../ca.js"
import { lastLines, runHost } from "../exec.js"
import { exists, hashTree } from "../files.js"
import { withLock } from "../../core/lock.js"
import { goBuild, goBuildPath, goReference } from "./go.js"
import { artifactPath, fetchArtifact, mavenReference } from "./maven.js"
import type { ContextFile, Recipe, RecipeTools } from "./recipe.js"

function npmPath(home: string, spec: string): string {
  return join(home, "cache", "npm", `${spec.replace(/[^\w.@-]+/g, "-")}.tgz`)
}

async function npmPack(context: EngineContext, spec: string): Promise<string> {
  const path = npmPath(context.home, spec)
  if (await exists(path)) return path
  await mkdir(dirname(path), { recursive: true })
  return withLock(
    `${path}.lock`,
    `fetching ${spec}`,
    async () => {
      if (await exists(path)) return path
      const task = context.progress.task(`Fetching ${spec} from npm`)
      const folder = await mkdtemp(join(dirname(path), "pack-"))
      try {
        const ran = await runHost("npm", ["pack", spec, "--silent", "--pack-destination", folder], {
          task,
          signal: context.signal,
          ...(context.ca === undefined ? {} : { env: caEnvironment(context.ca) }),
        })
        context.signal?.throwIfAborted()
        const [archive] = await readdir(folder)
        if (ran.exitCode !== 0 || archive === undefined) {
          throw fault({
            code: "SUPPLY-NPM",
            kind: "errored",
            message: `${spec} could not be fetched from npm`,
            reason: lastLines(ran.output),
            hint: `Run \`npm pack ${spec}\` by hand to see what it needs, then run the same command again.`,
          })
        }
        await rename(join(folder, archive), path)
        task.done()
        return path
      } catch (error) {
        task.fail(error)
        throw error
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
    { signal: context.signal },
  )
}

/** The tools of a recipe, for real. `image` provides the toolchains in which they work, by public reference. */
export function recipeTools(context: EngineContext, image: (reference: string) => Promise<string>): RecipeTools {
  return {
    maven: (artifact) => fetchArtifact(context, () => image(mavenReference), artifact),
    npmPack: (spec) => npmPack(context, spec),
    goBuild: (build) => goBuild(context, () => image(goReference), build),
  }
}

/** Tools that only say where things will lie: with them a recipe's identity is known before anything is fetched. */
function plannedTools(home: string): RecipeTools {
  return {
    maven: (artifact) => Promise.resolve(artifactPath(home, artifact)),
    npmPack: (spec) => Promise.resolve(npmPath(home, spec)),
    goBuild: (build) => goBuildPath(home, build),
  }
}

/**
 * What goes into a recipe's image, as text to be hashed. Files of the cache are named by the hash of their inputs, so
 * their place says it all; other files count with their content.
 */
export async function recipeIdentity(context: EngineContext, recipe: Recipe): Promise<string> {
  const files = (await recipe.files?.(plannedTools(context.home))) ?? {}
  const parts = await Promise.all(
    Object.entries(files)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(async ([name, file]) => `${name}\0${file.mode ?? ""}\0${await fileIdentity(context.home, file)}`),
  )
  return [recipe.dockerfile, recipe.check.command.join("\0"), recipe.check.expect.source, ...parts].join("\n")
}

async function fileIdentity(home: string, file: ContextFile): Promise<string> {
  if ("text" in file) return file.text
  const inCache = relative(join(home, "cache"), file.path)
  return inCache.startsWith("..") ? hashTree(file.path) : inCache.split(sep).join("/")
}
