import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { execa, type Options } from "execa"
import { parseDocument } from "yaml"
import { RunRecord } from "../../core/record.js"
import { loadProject } from "../../config/index.js"
import { serviceFile } from "../../config/services.js"
import { engineConfig } from "../../engine/config.js"
import { engineContext } from "../../engine/context.js"
import { daggerCli } from "../../engine/session/cli.js"
import { daggerEngine } from "../../engine/stack/engine.js"

export const root = join(dirname(fileURLToPath(import.meta.url)), "../..")

export interface Answer {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** A project of its own with the example shop, in a repository of its own; its environments are named after it. */
export interface Rig {
  readonly dir: string
  /** Runs the built command in the project. */
  gantry(args: readonly string[], options?: { readonly env?: Record<string, string> }): Promise<Answer>
  /** Runs the built command inside `dagger run`, whose session it then finds. */
  daggerRun(args: readonly string[]): Promise<Answer>
  /** Starts it and answers the process: to interrupt or kill it. */
  start(args: readonly string[]): ReturnType<typeof execa>
  git(...args: readonly string[]): Promise<string>
  /** Replaces text in a file and commits. */
  change(file: string, edit: (text: string) => string, message?: string): Promise<string>
  record(run?: string): Promise<RunRecord>
  /** Removes the environments' containers, networks and volumes, and the folder. */
  remove(): Promise<void>
}

export type Heavy = "sonar" | "integration tests"

export interface RigSetup {
  readonly project: string
  readonly services?: readonly string[]
  /**
   * What the services do not declare here, and so have no step for: SonarQube and integration tests take most of a delivery's
   * time, and are not what a test about the way of a release is about. The whole is delivered in test/gitlab.
   */
  readonly without?: readonly Heavy[]
  /** Their entries in gantry.config.ts, in place of the usual ones. */
  readonly environments?: string
  /** Of every command. */
  readonly env?: Readonly<Record<string, string>>
  /** Further lines of gantry.config.ts. */
  readonly config?: string
  /** Imports and what else stands before the configuration. */
  readonly prologue?: string
  /** Further files of the project, by their paths. */
  readonly files?: Readonly<Record<string, string>>
}

const author = { name: "Chen Dev", email: "chen.dev@shop.example" }

export async function makeRig(setup: RigSetup): Promise<Rig> {
  const dir = await mkdtemp(join(tmpdir(), `gantry-e2e-${setup.project}-`))
  const services = setup.services ?? ["catalog"]
  await mkdir(join(dir, "shop"), { recursive: true })
  for (const folder of [...services, "config-repo"]) {
    await cp(join(root, "examples/shop", folder), join(dir, "shop", folder), {
      recursive: true,
      filter: (path) => !/\/(node_modules|target|reports|coverage)(\/|$)/.test(path.slice(root.length)),
    })
  }
  for (const service of services) await adapt(join(dir, "shop", service, serviceFile), setup.without ?? [])
  await mkdir(join(dir, "node_modules"))
  await symlink(root, join(dir, "node_modules", "gantry-ci"))
  await writeFile(join(dir, ".gitignore"), "node_modules/\n.gantry/\n")
  await writeFile(join(dir, "gantry.config.ts"), `${setup.prologue ?? ""}${configText(setup.project, services, setup)}`)
  for (const [path, text] of Object.entries(setup.files ?? {})) {
    await mkdir(dirname(join(dir, path)), { recursive: true })
    await writeFile(join(dir, path), text)
  }
  const git = async (...args: readonly string[]) => (await execa("git", args, { cwd: dir })).stdout
  await git("init", "-q", "-b", "main")
  await git("config", "user.name", author.name)
  await git("config", "user.email", author.email)
  await git("add", ".")
  await git("commit", "-q", "-m", "The shop")

  const command = (args: readonly string[]) => [join(root, "dist/cli/main.js"), "-C", dir, ...args]
  const options = (env: Record<string, string> = {}): Options => ({
    cwd: dir,
    reject: false,
    stdin: "ignore",
    env: { CI: "true", NO_COLOR: "1", ...setup.env, ...env },
    maxBuffer: 64 * 1024 * 1024,
  })
  return {
    dir,
    async gantry(args, given = {}) {
      const { exitCode, stdout, stderr } = await execa(process.execPath, command(args), options(given.env))
      return { code: exitCode ?? -1, stdout: String(stdout), stderr: String(stderr) }
    },
    async daggerRun(args) {
      const context = engineContext(engineConfig.parse({}))
      const dagger = ["run", "--progress", "plain", process.execPath, ...command(args)]
      const env = { _EXPERIMENTAL_DAGGER_RUNNER_HOST: daggerEngine.address(context.config) ?? "", DO_NOT_TRACK: "1" }
      const { exitCode, stdout, stderr } = await execa(await daggerCli(context), dagger, options(env))
      return { code: exitCode ?? -1, stdout: String(stdout), stderr: String(stderr) }
    },
    start: (args) => execa(process.execPath, command(args), options()),
    git,
    async change(file, edit, message = "A change") {
      const path = join(dir, file)
      const before = await readFile(path, "utf8")
      const after = edit(before)
      if (after === before) throw new Error(`the edit changes nothing in ${file}`)
      await writeFile(path, after)
      await git("commit", "-q", "-am", message)
      return git("rev-parse", "HEAD")
    },
    async record(run = "last") {
      const { exitCode, stdout, stderr } = await execa(process.execPath, command(["show", run, "--json"]), options())
      if (exitCode !== 0) throw new Error(String(stderr))
      return RunRecord.parse(JSON.parse(String(stdout)))
    },
    async remove() {
      const { removeEnvironments } = await import("../../environments/index.js")
      await removeEnvironments((await loadProject(dir)).settings)
      await rm(dir, { recursive: true, force: true })
    },
  }
}

const quickJava = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"

async function adapt(file: string, without: readonly Heavy[]): Promise<void> {
  const declaration = parseDocument(await readFile(file, "utf8"))
  if (without.includes("sonar")) declaration.delete("sonar")
  // As with Maven: an analysis of so little ends before the second compiler of the Java machine pays.
  else declaration.setIn(["sonar", "properties", "sonar.scanner.javaOpts"], quickJava)
  if (without.includes("integration tests")) declaration.deleteIn(["tests", "integration"])
  // Instances live for a minute here: the second compiler of the Java machine would be most of what they do.
  if (/maven/.test(String(declaration.getIn(["toolchain", "image"])))) {
    declaration.set("env", { JAVA_TOOL_OPTIONS: "-XX:TieredStopAtLevel=1" })
  }
  await writeFile(file, declaration.toString())
}

const usualEnvironments = `
    test: { replicas: 1 },
    uat: { replicas: 1 },
    prod: { replicas: 2, approvals: { required: 1 } },`

function configText(project: string, services: readonly string[], setup: RigSetup): string {
  return `import { defineConfig } from "gantry-ci/config"

export default defineConfig({
  project: "${project}",
  services: ${JSON.stringify(services.map((s) => `shop/${s}`))},
  configRepo: "shop/config-repo",
  environments: {${setup.environments ?? usualEnvironments}
  },
  approvers: [
    { name: "Lin Release", email: "lin.release@shop.example", role: "release-manager", gitlab: "lin.release" },
    { name: "${author.name}", email: "${author.email}", role: "developer", gitlab: "chen.dev" },
  ],
  ${setup.config ?? ""}
})
`
}

/** Where the deployments of a run answer, by environment. */
export function urls(record: RunRecord): Record<string, string> {
  return Object.fromEntries(
    record.steps.flatMap((s) => s.reports.flatMap((r) => (r.kind === "deployment" ? [[r.environment, r.url]] : []))),
  )
}

/** What a service says about itself. */
export async function versionAt(
  url: string | undefined,
): Promise<{ readonly commit: string; readonly version: string }> {
  return (await (await fetch(`${url}/version`)).json()) as { commit: string; version: string }
}

/** The steps of a record by their status: what a test expects at a glance. */
export function statuses(record: RunRecord): Record<string, string> {
  return Object.fromEntries(record.steps.map((s) => [s.id, s.cached ? "cached" : s.status]))
}

/** Asks an address over and over until told to stop: how a user sees a deployment. Bounded in number. */
export function requestLoop(url: string, { limit = 20_000, connections = 2 } = {}) {
  const failures: string[] = []
  let total = 0
  let stopped = false
  const worker = async () => {
    while (!stopped && total < limit) {
      total++
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(30_000) })
        await response.arrayBuffer()
        if (!response.ok) failures.push(`${new Date().toISOString()} ${response.status}`)
      } catch (error) {
        failures.push(`${new Date().toISOString()} ${(error as Error).message}`)
      }
      // Often enough to meet a release that leaves or comes; more would take the time that those need.
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
  const workers = Array.from({ length: connections }, worker)
  return {
    async stop() {
      stopped = true
      await Promise.all(workers)
      return { total, failures }
    },
  }
}
