import { randomBytes } from "node:crypto"
import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type Docker from "dockerode"
import { engineConfig } from "../../../engine/config.js"
import { engineContext, type EngineContext } from "../../../engine/context.js"
import { buildImage } from "../../../engine/docker/build.js"
import { removeContainer } from "../../../engine/docker/run.js"
import { followStream } from "../../../engine/docker/stream.js"
import { localImage } from "../../../engine/image/local.js"
import { noProgress } from "../../../core/progress.js"
import { deployRelease } from "../../../environments/deploy.js"
import type { Deployed } from "../../../environments/deployment.js"
import { balancerImage } from "../../../environments/docker/balancer-container.js"
import { databaseImage } from "../../../environments/docker/database.js"
import { prometheusImage } from "../../../environments/docker/prometheus.js"
import { removeEnvironment } from "../../../environments/docker/remove.js"
import { dockerTarget } from "../../../environments/docker/target.js"
import { readHistory } from "../../../environments/history.js"
import { readRefusals } from "../../../environments/strategies/state.js"
import { chooseRelease, rollBack } from "../../../environments/rollback.js"
import { environment, type EnvironmentInput } from "../../../environments/environment.js"
import { placeOf, type Project } from "../../../environments/places.js"
import { releaseSpec, type ReleaseSpec } from "../../../environments/release.js"
import type { Target } from "../../../environments/target.js"

/** A service that does as its environment says. Answers with its version, instance and what it was given. */
const app = `
const http = require("node:http"), fs = require("node:fs"), net = require("node:net")
const env = process.env
console.log("starting", env.VERSION, "secret", env.DB_PASSWORD)
if (env.EXIT_AFTER_MS) setTimeout(() => { console.error("giving up: no such table"); process.exit(7) }, +env.EXIT_AFTER_MS)
if (env.EAT_MEMORY) { const hog = []; for (;;) hog.push(Buffer.alloc(16e6, 1)) }
const born = Date.now()
const ready = () => !env.NEVER_READY && Date.now() - born >= +(env.READY_AFTER_MS || 0)
const reach = (host, port) => new Promise((done) => {
  const s = net.connect({ host, port, timeout: 1500 })
  s.on("connect", () => { s.destroy(); done("open") }).on("timeout", () => { s.destroy(); done("timeout") }).on("error", (e) => done(e.code))
})
// As Micrometer measures: a histogram in seconds, cumulative, of all but the operational paths.
const bounds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, Infinity], counts = bounds.map(() => 0)
const metrics = () => bounds.map((le, i) => 'http_server_requests_seconds_bucket{uri="/",le="' + (le === Infinity ? "+Inf" : le) + '"} ' + counts[i] + "\\n").join("")
const server = http.createServer(async (q, s) => {
  const url = new URL(q.url, "http://x")
  if (url.pathname === "/ready") { s.statusCode = ready() ? 200 : 503; return s.end() }
  if (url.pathname === "/die") process.exit(9)
  if (url.pathname === "/reach") return s.end(await reach(url.searchParams.get("host"), +url.searchParams.get("port")))
  if (url.pathname === "/fetch") return s.end(await fetch(url.searchParams.get("url")).then((r) => r.text(), String))
  if (url.pathname === "/info") return s.end(JSON.stringify({ env, config: fs.readFileSync(env.GANTRY_CONFIG, "utf8"), uid: process.getuid() }))
  if (url.pathname === "/metrics") return s.end(metrics())
  if (Math.random() < +(env.HANG_UP_SHARE || 0)) return q.socket.destroy()
  await new Promise((done) => setTimeout(done, Math.random() * 20 + +(env.DELAY_MS || 0)))
  const seconds = Math.random() * 0.02 + (env.DELAY_MS || 0) / 1000
  bounds.forEach((le, i) => { if (seconds <= le) counts[i]++ })
  if (Math.random() < +(env.ERROR_SHARE || 0)) s.statusCode = 500
  q.resume().on("end", () => s.end(env.VERSION + " " + env.INSTANCE_ID))
})
server.listen(+env.PORT)
process.on("SIGTERM", () => server.close(() => process.exit(0)))
`

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

export async function openLab(environments: Record<string, EnvironmentInput>): Promise<Lab> {
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
      await buildImage(docker, {
        dockerfile: `FROM ${base}\nCOPY app.js /app.js\nLABEL tag=${tag}\nUSER 10001\nENTRYPOINT ["node", "/app.js"]\n`,
        files: { "app.js": { text: app } },
        tag: `${repository}:${tag}`,
        task: noProgress.task(""),
      })
      const pushed = await docker
        .getImage(`${repository}:${tag}`)
        .push({ tag, authconfig: { serveraddress: registry } })
      let digest = ""
      await followStream(pushed, (event) => (digest = event.aux?.Digest ?? digest))
      await docker.getImage(`${repository}:${tag}`).remove({ force: true })
      made.push(`${repository}@${digest}`)
      return { reference: `${repository}@${digest}`, digest }
    },
    release: ({ reference, digest }, over = {}) =>
      releaseSpec({
        service: "web",
        reference,
        digest,
        commit: "c0ffee",
        config: "{}\n",
        env: { VERSION: "v1" },
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
        place: placeOf(project, name),
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
      const place = placeOf(project, name)
      const [history, refusals] = [await readHistory(place, "web"), await readRefusals(on.notes)]
      return rollBack({
        target: on,
        place,
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

async function startRegistry(docker: Docker, name: string, image: string): Promise<string> {
  const container = await docker.createContainer({
    name,
    Image: image,
    HostConfig: { PortBindings: { "5000/tcp": [{ HostIp: "127.0.0.1", HostPort: "" }] } },
  })
  await container.start()
  const info = await container.inspect()
  const port = info.NetworkSettings.Ports["5000/tcp"]?.[0]?.HostPort ?? ""
  await until(async () => (await fetch(`http://127.0.0.1:${port}/v2/`).catch(() => undefined))?.ok === true, 20)
  return `127.0.0.1:${port}`
}

/** Waits for a condition, asking ten times a second. */
export async function until(condition: () => Promise<boolean> | boolean, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`not within ${seconds} s: ${condition.toString()}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}
