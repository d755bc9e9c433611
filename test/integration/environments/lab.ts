import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type Docker from "dockerode"
import { engineConfig } from "../../../engine/config.js"
import { engineContext, type EngineContext } from "../../../engine/context.js"
import { removeContainer } from "../../../engine/docker/run.js"
import { localImage } from "../../../engine/image/local.js"
import { deployRelease } from "../../../environments/deployment/deploy.js"
import type { Deployed } from "../../../environments/deployment/deployment.js"
import { balancerImage } from "../../../environments/docker/balancer-container.js"
import { databaseImage } from "../../../environments/docker/database.js"
import { prometheusImage } from "../../../environments/prometheus.js"
import { removeEnvironment } from "../../../environments/docker/remove.js"
import { dockerTarget } from "../../../environments/docker/target.js"
import { readHistory } from "../../../environments/history.js"
import { readRefusals } from "../../../environments/strategies/state.js"
import { chooseRelease, rollBack } from "../../../environments/deployment/rollback.js"
import { environment, type EnvironmentInput } from "../../../environments/environment.js"
import { placeOf, type Project } from "../../../environments/places.js"
import { releaseSpec, type ReleaseSpec } from "../../../environments/release.js"
import type { Target } from "../../../environments/target.js"
import { pushApp } from "./app.js"

export interface Lab {
  readonly engine: EngineContext
  readonly docker: Docker
  readonly home: string
  readonly project: Project
  /** Pushes an image of the app to a registry of the lab's own; each tag another digest. */
  image(tag: string): Promise<{ readonly reference: string; readonly digest: string }>
  release(image: { readonly reference: string; readonly digest: string }, over?: Partial<ReleaseSpec>): ReleaseSpec
  target(environmentName: string, service?: string): Promise<Target>
  deploy(release: ReleaseSpec, options?: DeployLab): Promise<Deployed>
  /** To the good release before. */
  rollBack(environment: string): Promise<Deployed>
  /** A command in a running container, with variables that no argument shows. */
  exec(
    container: string,
    command: readonly string[],
    env: Record<string, string>,
  ): Promise<{ readonly exitCode: number; readonly output: string }>
  /** Public reference → local image, of what an environment is made of. */
  images(): Promise<Record<string, string>>
  /** What was told and kept by deployments, newest last. */
  readonly lines: string[]
  readonly logs: Map<string, string>
  close(): Promise<void>
}
export interface DeployLab {
  readonly environment?: string
  readonly service?: string
  readonly signal?: AbortSignal
  readonly approved?: { readonly by: string; readonly at: string }
}

/**
 * A lab of one project with these environments.
 * @param lingerMs How long an answer of the app takes at most, 20 when undefined. With many connections a longer time keeps as
 *   many requests in flight at each moment, of which any could fail, and leaves the machine time for what is tested.
 */
export async function openLab(environments: Record<string, EnvironmentInput>, lingerMs?: number): Promise<Lab> {
  const id = `gt${randomBytes(3).toString("hex")}`
  const home = await mkdtemp(join(tmpdir(), "gantry-env-"))
  const shared = engineContext(engineConfig.parse({}))
  const image = (reference: string) => localImage(shared, reference).then((i) => i.name)
  const { docker } = shared
  const registry = await startRegistry(docker, `${id}-registry`, await image("docker.io/library/registry:2"))
  // As with a Harbor: the lab's registry is nobody else's, and the stack's own is not started.
  const harbor = { url: `http://${registry}`, project: "shop" }
  const config = engineConfig.parse({ home, stack: id, registry: { harbor } })
  const engine = engineContext(config)
  const project: Project = {
    project: "shop",
    engine: config,
    services: [{ name: "web" }, { name: "other" }],
    environments: Object.fromEntries(Object.entries(environments).map(([n, e]) => [n, environment(n, e)])),
  }
  const made: string[] = []
  const lines: string[] = []
  const logs = new Map<string, string>()
  const of = (name: string) => {
    const found = project.environments[name]
    if (found === undefined) throw new Error(`no environment ${name}`)
    return found
  }
  const target = (name: string, service = "web") =>
    dockerTarget({ engine, project, environment: of(name), service, image, tell: (line) => void lines.push(line) })

  return {
    engine,
    docker,
    home,
    project,
    lines,
    logs,
    async exec(container, command, env) {
      const exec = await docker.getContainer(container).exec({
        Cmd: [...command],
        Env: Object.entries(env).map(([name, value]) => `${name}=${value}`),
        AttachStdout: true,
        AttachStderr: true,
        Tty: true,
      })
      const stream = await exec.start({ Tty: true })
      let output = ""
      for await (const chunk of stream) output += String(chunk)
      return { exitCode: (await exec.inspect()).ExitCode ?? -1, output }
    },
    async images() {
      const references = [balancerImage, databaseImage, prometheusImage]
      return Object.fromEntries(await Promise.all(references.map(async (r) => [r, await image(r)] as const)))
    },
    async image(tag) {
      const repository = `${registry}/shop/web`
      const base = await image("docker.io/library/node:22-trixie-slim")
      const digest = await pushApp(docker, { base, repository, what: tag, tag })
      made.push(`${repository}@${digest}`)
      return { reference: `${repository}@${digest}`, digest }
    },
    release: ({ reference, digest }, { env = { VERSION: "v1" }, ...over } = {}) =>
      releaseSpec({
        service: "web",
        reference,
        digest,
        commit: "c0ffee",
        config: "{}\n",
        env: lingerMs === undefined ? env : { ...env, LINGER_MS: String(lingerMs) },
        port: 8080,
        readiness: "/ready",
        startupSeconds: 30,
        calls: [],
        resources: {},
        ...over,
      }),
    target,
    async deploy(release, { environment: name = "test", service = "web", signal, approved } = {}) {
      return deployRelease({
        target: await target(name, service),
        environment: of(name),
        release,
        approved,
        signal: signal ?? new AbortController().signal,
        tell: (line) => void lines.push(line),
        keepLog: (file, text) => {
          logs.set(file, text)
          return Promise.resolve()
        },
      })
    },
    async rollBack(name) {
      const on = await target(name)
      const [history, refusals] = [await readHistory(on.notes), await readRefusals(on.notes)]
      return rollBack({
        target: on,
        environment: of(name),
        to: chooseRelease({ service: "web", environment: name }, history, refusals).release,
        by: "Lin",
        reason: "a test",
        signal: new AbortController().signal,
        tell: (line) => void lines.push(line),
        keepLog: () => Promise.resolve(),
      })
    },
    async close() {
      for (const name of Object.keys(environments)) {
        await removeEnvironment(engine, placeOf(project, name), { data: true })
      }
      await removeContainer(docker, `${id}-registry`)
      for (const reference of made)
        await docker
          .getImage(reference)
          .remove({ force: true })
          .catch(() => undefined)
      await rm(home, { recursive: true, force: true })
    },
  }
}

/** The layers that all these images have in common stay here: Docker takes five seconds to compress them for a registry without. */
const layers = "gantry-test-registry"

async function startRegistry(docker: Docker, name: string, image: string): Promise<string> {
  const container = await docker.createContainer({
    name,
    Image: image,
    HostConfig: {
      PortBindings: { "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] },
      Binds: [`${layers}:/var/lib/registry`],
    },
  })
  await container.start()
  const info = await container.inspect()
  const port = info.NetworkSettings.Ports["5000/tcp"]?.[0]?.HostPort ?? ""
  await until(async () => (await asked(`http://127.0.0.1:${port}/v2/`))?.ok === true, 60)
  return `127.0.0.1:${port}`
}

/**
 * What an address answers, undefined when nothing. With a limit: while a container starts, the port that Docker keeps for it
 * takes connections, and a request on one that it drops again may never end.
 */
export async function asked(url: string): Promise<Response | undefined> {
  return fetch(url, { signal: AbortSignal.timeout(2_000) }).catch(() => undefined)
}

/** Versions of the app that have traffic, with "!" where they do not answer their health check. */
export async function versionsServing(target: Target): Promise<readonly string[]> {
  return (await target.describe())
    .filter((i) => i.weight > 0)
    .map((i) => `${i.release.env["VERSION"]}${i.healthy ? "" : "!"}`)
}

/** Waits for a condition, asking ten times a second. */
export async function until(condition: () => Promise<boolean> | boolean, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
