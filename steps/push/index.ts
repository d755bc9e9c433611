import { copyArchive } from "../../clients/registry/copy.js"
import { readArchive, repositoryClient, type RepositoryClient } from "../../clients/registry/index.js"
import { fault } from "../../core/errors.js"
import { step, type AnyStep, type Context, type Step } from "../../core/step.js"
import { ensureStack, hostCa } from "../../engine/index.js"
import { Release, type BuiltImage, type Source } from "../outputs.js"
import { logProgress } from "../log-progress.js"
import type { Service } from "../service.js"
import type { Settings } from "../settings.js"
import { placeOf, tagOf, type Place } from "./place.js"

/**
 * Pushes the archive's exact bytes to `<project>/<service>:sha-<commit>`: what was scanned is what is deployed.
 * @throws REGISTRY-… and PUSH-TAG-TAKEN
 */
export function push(
  settings: Settings,
  service: Service,
  wiring: { readonly source: Step<Source>; readonly image: Step<BuiltImage>; readonly after?: readonly AnyStep[] },
): Step<Release> {
  const place = placeOf(settings.engine, settings.project, service.name)
  const needs = { source: wiring.source, image: wiring.image }
  return step(`${service.name}.push`, {
    needs,
    after: wiring.after ?? [],
    stage: "push",
    service: service.name,
    engine: false,
    secrets: place.passwordSecret === undefined ? [] : [place.passwordSecret],
    output: Release,
    params: { host: place.host, repository: place.repository },
    effect: {
      key: ({ needs: { image } }) => `push:${place.host}/${place.repository}@${image.digest}`,
      retry: { attempts: 3 },
      reconcile: async (context) => {
        const release = releaseOf(place, context.needs.source, context.needs.image)
        const client = await clientFor(settings, place, context)
        const tag = tagOf(context.needs.source)
        return (await client.resolve(tag)) === release.digest ? release : undefined
      },
    },
    run: async (context) => {
      const { needs: given, artifacts, log, publish, signal } = context
      const client = await clientFor(settings, place, context)
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
      if (archive.digest !== release.digest)
        throw new Error(`the archive holds ${archive.digest}, not ${release.digest}`)
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
    },
  })
}

type NeedsOfPush = { readonly source: Step<Source>; readonly image: Step<BuiltImage> }

async function clientFor(
  settings: Settings,
  place: Place,
  context: Pick<Context<NeedsOfPush, string>, "secrets" | "signal" | "log">,
): Promise<RepositoryClient> {
  if (place.embedded)
    await ensureStack(settings.engine, ["registry"], { signal: context.signal, progress: logProgress(context.log) })
  const password = place.passwordSecret === undefined ? undefined : context.secrets[place.passwordSecret]?.plaintext()
  const credentials =
    place.username === undefined || password === undefined ? undefined : { username: place.username, password }
  const options = { url: place.url, credentials, signal: context.signal, policy: { ca: hostCa(settings.engine) } }
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
