import { readFile } from "node:fs/promises"
import { join } from "node:path"
import type { Client, Container } from "@dagger.io/dagger"
import { fault } from "../../core/errors.js"
import { sha256 } from "../../core/json.js"
import { withHostCa, type EngineConfig } from "../../engine/index.js"
import { execErrorOf, killedFault, lastLines, runFile, serviceFiles } from "../container.js"
import type { Service } from "../service.js"

/** Where the project's files lie in the containers. */
const root = "/src"

const sharingModes = { locked: "LOCKED", shared: "SHARED", private: "PRIVATE" } as const

/** The service's folder in the container. */
export function workdir(service: Pick<Service, "path">): string {
  return service.path === "." ? root : `${root}/${service.path}`
}

/**
 * The toolchain image with the service's files, caches and environment, working in the service's folder.
 * @param options.folder The materialised source.
 * @param options.image Resolved reference of the toolchain image.
 */
export async function toolchainContainer(
  dag: Client,
  service: Service,
  options: {
    readonly engine: EngineConfig
    readonly folder: string
    readonly image: string
  },
): Promise<Container> {
  const { folder, image, engine } = options
  let container = withHostCa(dag.container().from(image), dag, engine)
    .withDirectory(root, serviceFiles(dag, folder, service, reports(service)))
    .withWorkdir(workdir(service))
  for (const cache of service.toolchain.caches) {
    const key = await cacheKey(join(folder, service.path), image, cache)
    // The SDK's enum is not imported: loading the SDK takes half a second.
    const sharing = sharingModes[cache.sharing] as never
    container = container.withMountedCache(cache.path, dag.cacheVolume(key), { sharing })
  }
  for (const [name, value] of Object.entries(service.toolchain.env)) {
    container = container.withEnvVariable(name, value)
  }
  return container
}

/**
 * Globs of all the reports that suites leave: one that somebody committed is no result. The same for every suite, so that
 * they share one setup.
 */
function reports(service: Pick<Service, "tests">): readonly string[] {
  return Object.values(service.tests).flatMap((suite) =>
    suite === undefined ? [] : [...suite.junit, ...(suite.coverage === undefined ? [] : [suite.coverage])],
  )
}

/** Name of a cache volume: another content of the key files, another volume. A key file that is missing counts as empty. */
export async function cacheKey(
  serviceFolder: string,
  image: string,
  cache: { readonly path: string; readonly key: readonly string[] },
): Promise<string> {
  const contents = await Promise.all(
    cache.key.map((file) => readFile(join(serviceFolder, file)).catch(() => Buffer.alloc(0))),
  )
  const hash = sha256(
    JSON.stringify([image.replace(/@.*$/, ""), cache.path, cache.key, contents.map((content) => sha256(content))]),
  )
  return `gantry-${cache.path.replace(/[^a-zA-Z0-9]+/g, "-").replace(/^-+|-+$/g, "")}-${hash.slice(0, 16)}`
}

/**
 * Runs the toolchain's `setup`. The engine keeps its result for as long as nothing that went into it changes.
 * @throws TESTS-SETUP errored: what a service needs could mostly not be fetched
 */
export async function withSetup(
  container: Container,
  service: Service,
  write: (chunk: string) => void,
  signal: AbortSignal,
): Promise<Container> {
  const command = service.toolchain.setup
  if (command === undefined) return container
  write(`$ ${command}\n`)
  try {
    return (await runFile(container, `/gantry/setup.${service.name}`, command, write, signal)).container
  } catch (error) {
    const exec = execErrorOf(error)
    if (exec === undefined) throw error
    const output = `${exec.stdout}\n${exec.stderr}`
    throw (
      killedFault(`The setup of ${service.name}`, exec.exitCode, output) ??
      fault({
        code: "TESTS-SETUP",
        kind: "errored",
        message: `The setup of ${service.name} failed (exit code ${exec.exitCode}): ${command}`,
        reason: lastLines(output),
        hint: "Mostly a package registry that does not answer, or a lock file that does not fit: then `gantry resume`, or correct the lock file.",
        cause: error,
      })
    )
  }
}
