import { fault } from "../../core/errors.js"
import type { EngineContext } from "../context.js"
import { hashText } from "../files.js"
import { allRecipes, recipeFor } from "../recipes/index.js"
import type { Recipe } from "../supply/recipe.js"
import { credentialsFor } from "./credentials.js"
import { recall, remember } from "./memory.js"
import { applyMirror, atDigest, formatReference, parseReference, type Reference } from "./reference.js"
import { findDigest, type Found } from "./registry-api.js"

/** Where an image comes from: a mirror or registry, by digest, or a recipe that has to be made. */
export type Origin =
  | { readonly source: "mirror" | "registry"; readonly reference: string }
  | { readonly source: "packages"; readonly recipe: Recipe }

/** A digest is trusted for an hour: a moved tag is noticed the same day, a run asks once. */
const foundSeconds = 3600
/** A registry that did not answer is not asked again for ten minutes. */
const unreachableSeconds = 600

/**
 * Finds out where the image of a public reference comes from, in this order: a configured mirror, the public registry,
 * a recipe. Nothing is fetched or made.
 * Errors: CONFIG-IMAGE (not a reference), SUPPLY-MIRROR, SUPPLY-REGISTRY, SUPPLY-NO-IMAGE.
 */
export async function findOrigin(context: EngineContext, text: string): Promise<Origin> {
  const reference = parseReference(text)
  if (reference === undefined) {
    throw fault({
      code: "CONFIG-IMAGE",
      kind: "usage",
      message: `Not the name of a container image: ${text}`,
      hint: "An image is named as in `docker pull`: node:22-slim, harbor.example/team/app:1.0, …@sha256:….",
    })
  }
  const full = formatReference(reference)
  const recipe = recipeFor(full)
  const { supply, mirrors } = context.config
  if (supply === "packages") {
    if (recipe !== undefined) return { source: "packages", recipe }
    // What is already named by the stack's own registry, or by somebody's private one, has no recipe and needs none.
    if (isPublic(reference)) throw noImage(full, ['supply is "packages", so no registry was asked'])
  }
  const mirrored = applyMirror(reference, mirrors)
  if (mirrored !== undefined) {
    const found = await ask(context, mirrored)
    if (found.kind === "found") return { source: "mirror", reference: atDigest(mirrored, found.digest) }
    if (found.kind !== "missing") throw mirrorFault(full, mirrored, found)
    if (recipe !== undefined && supply === "auto") return { source: "packages", recipe }
    throw noImage(full, [`the mirror has no ${formatReference(mirrored)}`])
  }
  const found = await askPublic(context, reference)
  if (found.kind === "found") return { source: "registry", reference: atDigest(reference, found.digest) }
  if (recipe !== undefined && supply === "auto") return { source: "packages", recipe }
  if (found.kind === "broken") throw registryFault(full, found.reason)
  throw noImage(full, [found.kind === "missing" ? `${reference.registry} has no such image` : found.reason])
}

/** Registries that recipes stand in for. */
function isPublic(reference: Reference): boolean {
  return allRecipes.some((recipe) => parseReference(recipe.references[0] ?? "")?.registry === reference.registry)
}

async function ask(context: EngineContext, reference: Reference, timeoutMs = 15_000): Promise<Found> {
  if (reference.digest !== undefined && reference.tag === undefined) return { kind: "found", digest: reference.digest }
  const key = `digest ${formatReference(reference)} ${hashText(context.ca ?? "").slice(0, 8)}`
  const known = await recall<string>(context.home, key)
  if (known !== undefined) return { kind: "found", digest: known }
  const task = context.progress.task(`Looking up ${formatReference(reference)}`)
  const found = await findDigest(reference, {
    ca: context.ca,
    credentials: await credentialsFor(reference.registry),
    signal: context.signal,
    timeoutMs,
    onRetry: (line) => task.update(line),
  })
  task.done(found.kind === "found" ? found.digest.slice(0, 19) : found.kind)
  if (found.kind === "found") await remember(context.home, key, found.digest, foundSeconds)
  return found
}

/** The public registry gets little time: where it is out of reach, that must not cost minutes per image. */
async function askPublic(context: EngineContext, reference: Reference): Promise<Found> {
  const key = `unreachable ${reference.registry}`
  const known = await recall<string>(context.home, key)
  if (known !== undefined) return { kind: "unreachable", reason: known }
  const found = await ask(context, reference, 5000)
  if (found.kind === "unreachable") await remember(context.home, key, found.reason, unreachableSeconds)
  return found
}

function mirrorFault(full: string, mirrored: Reference, found: Exclude<Found, { kind: "found" | "missing" }>): Error {
  const denied = found.kind === "denied"
  return fault({
    code: denied ? "SUPPLY-REGISTRY-DENIED" : found.kind === "broken" ? "SUPPLY-REGISTRY" : "SUPPLY-MIRROR",
    kind: "errored",
    message: `The mirror ${mirrored.registry} ${denied ? "refuses" : found.kind === "broken" ? "is broken" : "does not answer"} (for ${full})`,
    reason: found.reason,
    hint: denied
      ? `docker login ${mirrored.registry}`
      : 'Run the same command again when it answers; or correct `mirrors` in gantry.config.ts; or set supply: "packages" to make images from packages.',
  })
}

function registryFault(full: string, reason: string): Error {
  return fault({
    code: "SUPPLY-REGISTRY",
    kind: "errored",
    message: `The registry of ${full} is broken`,
    reason,
    hint: "Run the same command again later, or name a mirror: mirrors in gantry.config.ts.",
  })
}

function noImage(full: string, reasons: readonly string[]): Error {
  return fault({
    code: "SUPPLY-NO-IMAGE",
    kind: "errored",
    message: `No way to get the image ${full}`,
    reason: [
      ...reasons,
      `made from packages can be: ${allRecipes.map((recipe) => recipe.references[0]).join(", ")}`,
    ].join("; "),
    hint: "Name a mirror that has it (mirrors in gantry.config.ts), or use one of the images that can be made.",
  })
}
