/** Makes images from their recipes: `npx jiti engine/dev/make.ts docker.io/library/haproxy:3.0 [-v]`. */
import { isFault } from "../../core/errors.js"
import { engineConfig } from "../config.js"
import { engineContext } from "../context.js"
import { allRecipes, recipeFor } from "../recipes/index.js"
import { makeImage } from "../supply/make.js"
import { plainProgress } from "./progress.js"
import type { EngineContext } from "../context.js"

const wanted = process.argv.slice(2).filter((argument) => argument !== "-v")
const context = engineContext(engineConfig.parse({}), { progress: plainProgress(process.argv.includes("-v")) })

async function local(inner: EngineContext, reference: string): Promise<string> {
  const recipe = recipeFor(reference)
  if (recipe === undefined) throw new Error(`no recipe for ${reference}`)
  return makeImage(inner, recipe, local)
}

if (wanted.length === 0) {
  for (const recipe of allRecipes) process.stdout.write(`${recipe.references[0]}\t${recipe.provides}\n`)
}
try {
  for (const name of await Promise.all(wanted.map((reference) => local(context, reference)))) {
    process.stdout.write(`${name}\n`)
  }
} catch (error) {
  process.stderr.write(
    isFault(error)
      ? `${error.code}: ${error.message}\n${error.reason ?? ""}\n${error.hint ?? ""}\n`
      : `${String(error)}\n`,
  )
  process.exitCode = 1
}
