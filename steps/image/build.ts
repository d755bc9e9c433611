import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import type { Client, Container } from "@dagger.io/dagger"
import { readArchive, type ImageArchive } from "../../clients/registry/index.js"
import { fault } from "../../core/errors.js"
import type { Context, Needs } from "../../core/step.js"
import { hostCa, rewriteDockerfile, type EngineConfig } from "../../engine/index.js"
import { abortable, serviceFiles } from "../container.js"
import { followBuild, lag } from "../exec-log.js"
import type { BuiltImage, Source } from "../outputs.js"
import type { Service } from "../service.js"
import { sourceDir } from "../source.js"
import { buildFault } from "./faults.js"
import { checkImage } from "./checks.js"
import { imageLabels } from "./labels.js"

export interface BuildOptions {
  readonly engine: EngineConfig
  readonly service: Service
  readonly source: Source
  /** Public reference → one that the engine can pull. */
  readonly resolve: (reference: string) => Promise<string>
}

type BuildContext = Pick<Context<Needs, never>, "dag" | "run" | "scratch" | "artifacts" | "log" | "publish" | "signal">

/** The kernel of the step: Dockerfile → checked OCI archive. */
export async function build(context: BuildContext, options: BuildOptions): Promise<BuiltImage> {
  const { service, source } = options
  const { dag, log, scratch, signal } = context
  const folder = await sourceDir(context.run, source)
  const dockerfile = await readDockerfile(folder, service)
  const rewritten = await rewriteDockerfile(
    dockerfile,
    async (reference) => {
      const resolved = await options.resolve(reference)
      log.info(`${reference} is ${resolved}`)
      return resolved
    },
    service.build.args,
  )
  const labels = imageLabels(service, source)
  const file = join(scratch, "image.tar")
  const container = await dockerBuild(dag, folder, rewritten, options)
  const labelled = Object.entries(labels).reduce((c, [name, value]) => c.withLabel(name, value), container)
  let lastLine: number | undefined
  const stop = followBuild(rewritten, (line) => {
    lastLine = performance.now()
    log.write(`${line}\n`)
  })
  try {
    // The SDK's enums are not imported: loading the SDK takes half a second.
    await abortable(labelled.asTarball({ mediaTypes: "OCIMediaTypes" as never }).export(file), signal)
    const ended = performance.now()
    while (lastLine !== undefined && performance.now() - Math.max(lastLine, ended) < lag) {
      await sleep(lag / 5, undefined, { signal })
    }
  } catch (error) {
    throw buildFault(error, service, dockerfile) ?? error
  } finally {
    stop()
  }
  const archive = await readArchive(file)
  checkImage(archive, service)
  return keep(context, options, archive, labels)
}

async function dockerBuild(
  dag: Client,
  folder: string,
  dockerfile: string,
  { engine, service, source }: BuildOptions,
): Promise<Container> {
  const path = service.build.dockerfile
  const files = serviceFiles(dag, folder, service)
  const directory = (service.path === "." ? files : files.directory(service.path)).withNewFile(path, dockerfile)
  const args = {
    // Only where the Dockerfile asks for it: the builder refuses arguments that nobody declares.
    ...(/^\s*ARG\s+GANTRY_COMMIT\b/im.test(dockerfile) ? { GANTRY_COMMIT: source.commit } : {}),
    ...service.build.args,
  }
  const ca = hostCa(engine)
  const secrets = ca === undefined ? [] : [dag.setSecret("ca", await readFile(ca, "utf8"))]
  return directory.dockerBuild({
    dockerfile: path,
    buildArgs: Object.entries(args).map(([name, value]) => ({ name, value })),
    secrets,
    ...(service.build.target === undefined ? {} : { target: service.build.target }),
  })
}

async function keep(
  { artifacts, log, publish }: BuildContext,
  { service }: BuildOptions,
  archive: ImageArchive,
  labels: Readonly<Record<string, string>>,
): Promise<BuiltImage> {
  const kept = await artifacts.put("image.tar", { file: archive.file })
  log.info(`${archive.digest}, ${(archive.size / 1e6).toFixed(1)} MB compressed, ${archive.blobs.length - 1} layers`)
  publish({ kind: "image", reference: service.name, digest: archive.digest, size: archive.size })
  return { service: service.name, digest: archive.digest, archive: kept, size: archive.size, labels: { ...labels } }
}

async function readDockerfile(folder: string, service: Service): Promise<string> {
  const path = join(service.path, service.build.dockerfile)
  try {
    return await readFile(join(folder, path), "utf8")
  } catch (cause) {
    throw fault({
      code: "IMAGE-NO-DOCKERFILE",
      kind: "failed",
      message: `${path} is not in the commit`,
      reason: (cause as Error).message,
      hint: `Commit it, or correct \`build.dockerfile\` in ${join(service.path, "gantry.service.yaml")}.`,
      cause,
    })
  }
}
