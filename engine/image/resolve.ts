import { fault } from "../../core/errors.js"
import { registryAddress } from "../config.js"
import type { EngineContext } from "../context.js"
import { followStream, layerProgress } from "../docker/stream.js"
import { splitTag } from "../supply/base.js"
import { copyImage } from "./copy.js"
import { findOrigin } from "./find.js"
import { localImage } from "./local.js"
import { atDigest, formatReference, parseReference, type Reference } from "./reference.js"
import { findDigest } from "./registry-api.js"

/** An image by digest that the host's Docker Engine and the Dagger engine can both pull. */
export interface ResolvedImage {
  /** "127.0.0.1:5000/gantry/haproxy@sha256:…" */
  readonly reference: string
  readonly source: "mirror" | "registry" | "packages"
  /** What a person reads: "HAProxy 3.0 from Debian's packages". */
  readonly provides: string
}

/** `ensureRegistry` starts the stack's registry when an image has to be pushed there. */
export async function resolveWith(
  context: EngineContext,
  text: string,
  ensureRegistry: () => Promise<void>,
): Promise<ResolvedImage> {
  const own = registryAddress(context.config)
  const given = parseReference(text)
  if (given?.registry === own && given.digest !== undefined) {
    return { reference: atDigest(given, given.digest), source: "registry", provides: text }
  }
  const origin = given?.registry === own ? undefined : await findOrigin(context, text)
  if (origin === undefined && given !== undefined) {
    await ensureRegistry()
    const found = await findDigest(given, { signal: context.signal })
    if (found.kind === "found") return { reference: atDigest(given, found.digest), source: "registry", provides: text }
    throw fault({
      code: "SUPPLY-NO-IMAGE",
      kind: "errored",
      message: `The stack's registry does not have ${formatReference(given)}`,
      reason: "reason" in found ? found.reason : "no such image",
      hint: "gantry stack status",
    })
  }
  if (origin !== undefined && origin.source !== "packages") {
    const reference = parseReference(origin.reference)
    if (reference === undefined || !onLoopback(reference)) return { ...origin, provides: text }
    await ensureRegistry()
    const copy: Reference = { ...reference, registry: own, repository: `gantry/mirror/${reference.repository}` }
    await copyImage(reference, copy, { ca: context.ca, signal: context.signal })
    return { reference: formatReference(copy), source: origin.source, provides: text }
  }
  const [image] = await Promise.all([localImage(context, text), ensureRegistry()])
  const [name, tag] = splitTag(image.name)
  const target: Reference = {
    registry: own,
    repository: name.replace(/^gantry\.local\//, "gantry/"),
    tag,
    digest: undefined,
  }
  const known = await findDigest(target, { signal: context.signal })
  const digest = known.kind === "found" ? known.digest : await push(context, image.name, target)
  return { reference: atDigest(target, digest), source: image.source, provides: image.provides }
}

/** The engine container has a loopback of its own, where only the stack's registry listens. */
function onLoopback(reference: Reference): boolean {
  return /^(127\.\d+\.\d+\.\d+|localhost)(:\d+)?$/.test(reference.registry)
}

/** Pushes an image of the Docker Engine to the stack's registry and answers its digest there. */
async function push(context: EngineContext, name: string, target: Reference): Promise<string> {
  const repo = `${target.registry}/${target.repository}`
  const tag = target.tag ?? "latest"
  const task = context.progress.task(`Pushing ${target.repository} to the stack's registry`)
  try {
    await context.docker.getImage(name).tag({ repo, tag })
    const stream = await context.docker.getImage(`${repo}:${tag}`).push({
      tag,
      authconfig: { username: "", password: "", serveraddress: target.registry },
    })
    let digest: string | undefined
    const fraction = layerProgress()
    await followStream(stream, (event) => {
      digest = event.aux?.Digest ?? digest
      task.update(event.status ?? "", fraction(event))
    })
    const found = await findDigest(target, { signal: context.signal })
    if (found.kind !== "found" || (digest !== undefined && digest !== found.digest)) {
      throw new Error(`pushed ${digest ?? "?"}, the registry has ${found.kind === "found" ? found.digest : found.kind}`)
    }
    task.done()
    return found.digest
  } catch (error) {
    const wrapped = fault({
      code: "SUPPLY-PUSH",
      kind: "errored",
      message: `${name} could not be pushed to the stack's registry`,
      reason: error instanceof Error ? error.message : String(error),
      hint: "gantry stack status, df -h; then run the same command again.",
      cause: error,
    })
    task.fail(wrapped)
    throw wrapped
  }
}
