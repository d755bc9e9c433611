import { mkdir, readdir, rename, rm, stat } from "node:fs/promises"
import { dirname, join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import { withLock } from "../../core/lock.js"
import type { Task } from "../../core/progress.js"
import type { EngineContext } from "../context.js"
import { diskFull, exists, hashFile } from "../files.js"
import { isPermanent, mavenWords, runMaven } from "./maven-run.js"
import type { MavenArtifact } from "./recipe.js"

/** Public image of Maven, in which Java services are built as well; its recipe installs Debian's. */
export const mavenReference = "docker.io/library/maven:3.9-eclipse-temurin-21"

/** Resolves one artifact into the local repository. Pinned, so that every host fetches in the same way. */
const getGoal = "org.apache.maven.plugins:maven-dependency-plugin:3.11.0:get"

/**
 * Where Maven lays an artifact down, below its local repository, and the name of the file.
 * https://maven.apache.org/repository/layout.html
 */
export function repositoryPlace(artifact: string): { readonly folder: string; readonly file: string } {
  const [group = "", name = "", version = "", packaging = "jar"] = artifact.split(":")
  return { folder: join(...group.split("."), name, version), file: `${name}-${version}.${packaging}` }
}

/** Where an artifact is kept, known before it is there. */
export function artifactPath(home: string, artifact: MavenArtifact): string {
  const { file } = repositoryPlace(artifact.artifact)
  return join(home, "cache", "downloads", artifact.sha256.slice(0, 16), file)
}

/**
 * Fetches an artifact with Maven, run in a container of `image` with the host's Maven settings, and answers the path at
 * which it is kept: only there when its SHA-256 is right. What Maven finished before an interruption (its plugin, other
 * artifacts) is not fetched again; the artifact that was being transferred is: Maven's resolver carries no file on
 * since its version 1.9 (https://github.com/apache/maven-resolver/issues/957).
 * Errors: SUPPLY-DOWNLOAD with Maven's words, SUPPLY-CHECKSUM, SUPPLY-DISK-FULL, CONFIG-MAVEN.
 */
export async function fetchArtifact(
  context: EngineContext,
  image: () => Promise<string>,
  wanted: MavenArtifact,
): Promise<string> {
  const path = artifactPath(context.home, wanted)
  if (await exists(path)) return path
  const maven = await image()
  const repository = join(context.home, "cache", "maven")
  // One at a time: they share a local repository, where the first lays the plugin down for the others.
  return withLock(
    join(repository, ".gantry.lock"),
    `fetching ${wanted.title}`,
    async () => {
      if (await exists(path)) return path
      const task = context.progress.task(`Fetching ${wanted.title} with Maven`)
      try {
        const fetched = await transfer(context, maven, repository, wanted, task)
        task.update("checking")
        await check(fetched, wanted)
        await mkdir(dirname(path), { recursive: true })
        await rename(fetched, path)
        task.done(`${megabytes((await stat(path)).size)} MB`)
        return path
      } catch (error) {
        task.fail(error)
        throw error
      }
    },
    { signal: context.signal },
  )
}

/** Lets Maven fetch, up to three times where the network broke off. Answers the file in the local repository. */
async function transfer(
  context: EngineContext,
  maven: string,
  repository: string,
  wanted: MavenArtifact,
  task: Task,
): Promise<string> {
  const { folder, file } = repositoryPlace(wanted.artifact)
  const place = join(repository, folder)
  for (let attempt = 1; ; attempt += 1) {
    // Made here, so that they belong to whom the home belongs to.
    await mkdir(place, { recursive: true })
    await removeUnfinished(place, file)
    const watching = watchSize(place, file, wanted.bytes, task)
    const ran = await runMaven(context, {
      image: maven,
      repository,
      arguments: [getGoal, `-Dartifact=${wanted.artifact}`, "-Dtransitive=false"],
      onLine: (line) => task.log(line),
    }).finally(() => clearInterval(watching))
    if (ran.exitCode === 0 && (await exists(join(place, file)))) return join(place, file)
    const words = mavenWords(ran.output)
    const full = diskFull(words, repository)
    if (full !== undefined) throw full
    if (attempt === 3 || isPermanent(words)) throw unreachable(wanted, words, attempt)
    task.log(`attempt ${attempt} broke off, once more:\n${words}`)
    await sleep(1000 * attempt, undefined, context.signal === undefined ? {} : { signal: context.signal })
  }
}

/** What a killed Maven left half done, and its notes that something could not be found: all but the artifact itself. */
async function removeUnfinished(place: string, file: string): Promise<void> {
  for (const name of await readdir(place)) {
    if (name.startsWith(file) && name !== file) await rm(join(place, name), { force: true })
  }
}

/** Maven tells nothing between the first and the last byte, so the growing file itself is looked at. */
function watchSize(place: string, file: string, bytes: number, task: Task): NodeJS.Timeout {
  const look = async (): Promise<void> => {
    const names = (await readdir(place)).filter((name) => name.startsWith(file))
    const sizes = await Promise.all(names.map((name) => stat(join(place, name)).then((info) => info.size)))
    const size = Math.max(0, ...sizes)
    if (size > 0) task.update(`${megabytes(size)} of ${megabytes(bytes)} MB`, Math.min(size / bytes, 1))
    else task.update("Maven fetches its plugin")
  }
  return setInterval(() => {
    look().catch(() => {
      // The file got its final name between two looks.
    })
  }, 500)
}

async function check(file: string, wanted: MavenArtifact): Promise<void> {
  const sha256 = await hashFile(file)
  if (sha256 === wanted.sha256) return
  await rm(file, { force: true })
  throw fault({
    code: "SUPPLY-CHECKSUM",
    kind: "errored",
    message: `${wanted.title}: what was fetched is not what is expected`,
    reason: `SHA-256 is ${sha256}, expected ${wanted.sha256}. A mirror or a proxy may have answered with something else.`,
    hint: `Look at ${wanted.artifact} in the Maven repository that your settings name, then run the same command again.`,
  })
}

function unreachable(wanted: MavenArtifact, words: string, attempts: number): Error {
  return fault({
    code: "SUPPLY-DOWNLOAD",
    kind: "errored",
    message: `${wanted.title} could not be fetched with Maven${attempts > 1 ? `, ${attempts} attempts` : ""}`,
    reason: words,
    hint:
      "Check the network, and mirrors, proxies and servers in Maven's settings (engine.maven.settings in gantry.config.ts, " +
      "else ~/.m2/settings.xml); then run the same command again.",
  })
}

const megabytes = (bytes: number): number => Math.round(bytes / 1e6)
