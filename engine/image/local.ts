import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import type { Credentials } from "../../net/registry/auth.js"
import type { EngineContext } from "../context.js"
import { ensureDocker } from "../docker/ensure.js"
import { followStream, layerProgress } from "../docker/stream.js"
import { diskFull } from "../files.js"
import { hasImage, makeImage } from "../supply/make.js"
import { credentialsFor } from "./credentials.js"
import { findOrigin } from "./find.js"
import { parseReference } from "./reference.js"

/** An image that the host's Docker Engine has. */
export interface LocalImage {
  /** Name under which the Docker Engine knows it. */
  readonly name: string
  readonly source: "mirror" | "registry" | "packages"
  readonly provides: string
}

const underway = new Map<string, Promise<LocalImage>>()

/**
 * Provides the image of a public reference on the host's Docker Engine: pulled by digest, or made from packages.
 * Errors: those of finding it, SUPPLY-PULL, those of making it.
 */
export function localImage(context: EngineContext, reference: string): Promise<LocalImage> {
  const key = JSON.stringify([context.home, context.config.supply, context.config.mirrors, reference])
  const known = underway.get(key)
  if (known !== undefined) return known
  const work = provide(context, reference).finally(() => underway.delete(key))
  underway.set(key, work)
  return work
}

async function provide(context: EngineContext, reference: string): Promise<LocalImage> {
  await ensureDocker(context)
  const origin = await findOrigin(context, reference)
  if (origin.source === "packages") {
    const name = await makeImage(context, origin.recipe, (inner, parent) =>
      localImage(inner, parent).then((image) => image.name),
    )
    return { name, source: "packages", provides: origin.recipe.provides }
  }
  if (!(await hasImage(context, origin.reference))) await pull(context, origin.reference)
  return { name: origin.reference, source: origin.source, provides: reference }
}

/**
 * Pulls by digest with the Docker Engine. What a busy or broken registry refuses is tried again, four times in all.
 * Without `login`, the credentials of `docker login` serve.
 */
export async function pull(context: EngineContext, reference: string, login?: Credentials): Promise<void> {
  const task = context.progress.task(`Pulling ${reference.replace(/@sha256:(.{12}).*/, "@$1")}`)
  const registry = parseReference(reference)?.registry ?? ""
  const credentials = login ?? (await credentialsFor(registry))
  try {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const stream = await context.docker.pull(reference, {
          ...(credentials === undefined ? {} : { authconfig: { ...credentials, serveraddress: registry } }),
          ...(context.signal === undefined ? {} : { abortSignal: context.signal }),
        })
        const fraction = layerProgress()
        await followStream(stream, (event) => task.update(event.status ?? "", fraction(event)))
        task.done()
        return
      } catch (error) {
        context.signal?.throwIfAborted()
        const reason = error instanceof Error ? error.message : String(error)
        const full = diskFull(reason, "the Docker Engine's data folder")
        if (full !== undefined) throw full
        if (attempt >= 4 || !/\b(429|5\d\d|toomanyrequests|timeout|EOF|reset)\b/i.test(reason))
          throw pullFault(reference, registry, reason)
        task.update(`attempt ${attempt}: ${reason}`)
        await sleep(
          1000 * 2 ** (attempt - 1),
          undefined,
          context.signal === undefined ? {} : { signal: context.signal },
        )
      }
    }
  } catch (error) {
    task.fail(error)
    throw error
  }
}

function pullFault(reference: string, registry: string, reason: string): Error {
  const untrusted = /x509|certificate/i.test(reason)
  return fault({
    code: "SUPPLY-PULL",
    kind: "errored",
    message: `The Docker Engine could not pull ${reference}`,
    reason,
    hint: untrusted
      ? `The Docker Engine does not trust that registry's certificate. As root: mkdir -p /etc/docker/certs.d/${registry} and copy the authority's PEM there as ca.crt.`
      : "Run the same command again when the registry answers.",
  })
}
