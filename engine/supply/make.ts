import { fault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"
import { buildImage } from "../docker/build.js"
import { runContainer } from "../docker/run.js"
import { hashText } from "../files.js"
import { lastLines } from "../exec.js"
import { withLock } from "../../core/lock.js"
import { recipeFor } from "../recipes/index.js"
import { baseReference, baseVersion, makeBase, splitTag } from "./base.js"
import type { Recipe } from "./recipe.js"
import { recipeIdentity, recipeTools } from "./tools.js"
import { join } from "node:path"

/** Answers a name under which the host's Docker Engine has the image of a public reference. */
export type LocalImages = (context: EngineContext, reference: string) => Promise<string>

/** "docker.io/library/haproxy:3.0" → "haproxy", "docker.io/sonarsource/sonar-scanner-cli:12" → "sonarsource/sonar-scanner-cli". */
export function imageName(reference: string): string {
  const [, ...path] = splitTag(reference)[0].split("/")
  return (path[0] === "library" ? path.slice(1) : path).join("/")
}

/** Hash of everything that goes into a recipe's image, its parents' recipes included. 16 hex digits. */
export async function recipeHash(context: EngineContext, recipe: Recipe): Promise<string> {
  if (recipe.references.includes(baseReference)) return hashText(baseVersion).slice(0, 16)
  const parent = recipeFor(recipe.from ?? baseReference)
  const inherited = parent === undefined ? (recipe.from ?? "") : await recipeHash(context, parent)
  return hashText(`${inherited}\n${await recipeIdentity(context, recipe)}`).slice(0, 16)
}

/** Name of a made image on the host's Docker Engine. Independent of the registry's port: a second stack finds it too. */
export async function madeName(context: EngineContext, recipe: Recipe): Promise<string> {
  return `gantry.local/${imageName(recipe.references[0] ?? "image")}:${await recipeHash(context, recipe)}`
}

/** Whether the host's Docker Engine has an image of this name. */
export async function hasImage(context: EngineContext, name: string): Promise<boolean> {
  try {
    await context.docker.getImage(name).inspect()
    return true
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return false
    throw error
  }
}

/**
 * Makes the image of a recipe unless the host's Docker Engine has it, and answers its name. The image carries that name
 * only after the recipe's check was content with it. `local` provides the recipe's parent and the toolchains.
 * Errors: SUPPLY-BUILD, SUPPLY-CHECK, and those of the tools.
 */
export async function makeImage(context: EngineContext, recipe: Recipe, local: LocalImages): Promise<string> {
  const name = await madeName(context, recipe)
  if (await hasImage(context, name)) return name
  return withLock(
    join(context.home, "locks", `image-${hashText(name).slice(0, 16)}.lock`),
    `making ${recipe.provides}`,
    async () => {
      if (!(await hasImage(context, name))) await make(context, recipe, name, local)
      return name
    },
    {
      signal: context.signal,
      onWait: (owner) => {
        context.progress.task(recipe.provides).done(`process ${owner.pid} is making it; waiting for that`)
      },
    },
  )
}

async function make(context: EngineContext, recipe: Recipe, name: string, local: LocalImages): Promise<void> {
  const unchecked = `${name}-unchecked`
  if (recipe.references.includes(baseReference)) {
    await makeBase(context, unchecked)
    await check(context, recipe, unchecked)
    await settle(context, unchecked, name)
    return
  }
  const [parent, files] = await Promise.all([
    local(context, recipe.from ?? baseReference),
    recipe.files?.(recipeTools(context, (reference) => local(context, reference))) ?? {},
  ])
  const task = context.progress.task(recipe.provides, { expectedSeconds: recipe.expectedSeconds })
  try {
    await buildImage(context.docker, {
      dockerfile: `FROM ${parent} AS parent\n${recipe.dockerfile}`,
      files,
      tag: unchecked,
      labels: { "dev.gantry.reference": recipe.references[0] ?? "", "dev.gantry.provides": recipe.provides },
      task,
      signal: context.signal,
    })
    task.update("checking")
    await check(context, recipe, unchecked)
    await settle(context, unchecked, name)
    task.done()
  } catch (error) {
    task.fail(error)
    throw error
  }
}

async function settle(context: EngineContext, unchecked: string, name: string): Promise<void> {
  const [repo, tag] = splitTag(name)
  await context.docker.getImage(unchecked).tag({ repo, tag })
  await context.docker.getImage(unchecked).remove()
}

async function check(context: EngineContext, recipe: Recipe, image: string): Promise<void> {
  const ran = await runContainer(context.docker, {
    image,
    entrypoint: [recipe.check.command[0] ?? "true"],
    command: recipe.check.command.slice(1),
    network: "none",
    timeoutMs: 120_000,
    signal: context.signal,
  })
  if (recipe.check.expect.test(ran.output)) return
  throw fault({
    code: "SUPPLY-CHECK",
    kind: "errored",
    message: `${recipe.provides}: the image that was made does not do what it should`,
    reason: `\`${recipe.check.command.join(" ")}\` (exit code ${ran.exitCode}) does not say ${recipe.check.expect}:\n${lastLines(ran.output)}`,
    hint: "Its recipe is in engine/recipes/. What a package brings may have changed.",
  })
}
