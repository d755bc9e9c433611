import { copyArchive } from "../../clients/registry/copy.js"
import { readArchive, repositoryClient, type RepositoryClient } from "../../clients/registry/index.js"
import { fault } from "../../core/errors.js"
import type { Context, Step } from "../../core/step.js"
import { ensureStack, hostCa, type EngineConfig } from "../../engine/index.js"
import { logProgress } from "../log-progress.js"
import type { BuiltImage, Release, Source } from "../outputs.js"
import { tagOf, type Place } from "./place.js"

type NeedsOfPush = { readonly source: Step<Source>; readonly image: Step<BuiltImage> }
type Given = Pick<Context<NeedsOfPush, string>, "needs" | "secrets" | "signal" | "log">

/** The release when the tag already names this very image, as after a push whose end nobody saw. */
export async function findRelease(context: Given, engine: EngineConfig, place: Place): Promise<Release | undefined> {
  const release = releaseOf(place, context.needs.source, context.needs.image)
  const client = await clientFor(engine, place, context)
  return (await client.resolve(tagOf(context.needs.source))) === release.digest ? release : undefined
}

/** @throws REGISTRY-…, PUSH-TAG-TAKEN */
export async function runPush(
  context: Given & Pick<Context<NeedsOfPush, string>, "artifacts" | "publish">,
  engine: EngineConfig,
  place: Place,
): Promise<Release> {
  const { needs: given, artifacts, log, publish, signal } = context
  const client = await clientFor(engine, place, context)
  const release = releaseOf(place, given.source, given.image)
  const tag = tagOf(given.source)
  const there = await client.resolve(tag)
  if (there !== undefined && there !== release.digest) {
    // A dirty tree's tag is nobody's promise.
    if (!place.embedded && !given.source.dirty) throw tagTaken(release, there)
    // The stand-in on one machine sees rebuilds of a commit whose cache is gone; what runs by digest is not touched.
    log.warn(`${release.tag} named ${there}; from now on it names the image of this run`)
  }
  const archive = await readArchive(await artifacts.open(given.image.archive))
  if (archive.digest !== release.digest) throw new Error(`the archive holds ${archive.digest}, not ${release.digest}`)
  signal.throwIfAborted()
  await copyArchive(archive, client, tag, {
    onBlob: (blob, { known, done, total }) =>
      log.info(
        `${blob.digest.slice(7, 19)}  ${megabytes(blob.size)}  ${known ? "is there" : "sent"}  (${megabytes(done)} of ${megabytes(total)})`,
      ),
  })
  log.info(`${release.tag} is ${release.digest}`)
  publish({ kind: "image", reference: release.reference, digest: release.digest, size: archive.size })
  return release
}

async function clientFor(
  engine: EngineConfig,
  place: Place,
  context: Pick<Context<NeedsOfPush, string>, "secrets" | "signal" | "log">,
): Promise<RepositoryClient> {
  if (place.embedded)
    await ensureStack(engine, ["registry"], { signal: context.signal, progress: logProgress(context.log) })
  const password = place.passwordSecret === undefined ? undefined : context.secrets[place.passwordSecret]?.plaintext()
  const credentials =
    place.username === undefined || password === undefined ? undefined : { username: place.username, password }
  const options = { url: place.url, credentials, signal: context.signal, policy: { ca: hostCa(engine) } }
  return repositoryClient(options, place.repository)
}

function releaseOf(place: Place, source: Source, image: BuiltImage): Release {
  const name = `${place.host}/${place.repository}`
  return {
    service: image.service,
    reference: `${name}@${image.digest}`,
    tag: `${name}:${tagOf(source)}`,
    digest: image.digest,
    commit: source.commit,
  }
}

function tagTaken(release: Release, there: string) {
  return fault({
    code: "PUSH-TAG-TAKEN",
    kind: "failed",
    message: `${release.tag} already names another image`,
    reason: `There: ${there}. To be pushed: ${release.digest}. A tag of a commit is never moved: somebody may run it.`,
    hint: "Deliver a new commit. Was the first image made by other means, delete its tag in the registry and resume.",
  })
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(1)} MB`
