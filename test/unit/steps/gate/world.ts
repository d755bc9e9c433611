import { execFileSync } from "node:child_process"
import { rmSync, writeFileSync } from "node:fs"
import { cp, mkdtemp } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { z } from "zod"
import { decide, type Approver, type Statement } from "../../../../approvals/index.js"
import type { Json } from "../../../../core/json.js"
import { pipeline, type Pipeline } from "../../../../core/pipeline.js"
import { step, type MaybeStep, type Step } from "../../../../core/step.js"
import { openStore } from "../../../../core/store.js"
import { ProjectConfig } from "../../../../config/schema.js"
import { BuiltImage, Deployment, Release, Scan, Source } from "../../../../steps/outputs.js"
import { gate, verifyApproval } from "../../../../steps/gate/index.js"
import type { Settings } from "../../../../steps/settings.js"
import { runPipeline, temporaryProject } from "../../core/rig.js"

export const lin: Approver = { name: "Lin Release", email: "lin@shop.example", role: "release-manager" }
export const wang: Approver = { name: "Wang Ops", email: "wang@shop.example", role: "operations" }
export const zhao: Approver = { name: "Zhao Author", email: "zhao@shop.example", role: "developer" }

export const digestOf = (service: string) => `sha256:${Buffer.from(service.padEnd(32, "0")).toString("hex")}`

/** What the steps before the gate answer; a test changes it to see what the gate makes of it. */
export interface Results {
  source: Partial<Source>
  reference: (service: string) => string
  built: (service: string) => string
  scanned: (service: string) => string
  deployed: (service: string) => string
  failedTests: number
}

/** Made once, copied for each test: starting git costs more than all the rest. */
let plain: ReturnType<typeof repository> | undefined

const templates: string[] = []

/** For the end of each test file: several of them may share this module. */
export function removeTemplates(): void {
  plain = undefined
  for (const dir of templates.splice(0)) rmSync(dir, { recursive: true, force: true })
}

const gitIn =
  (dir: string) =>
  (...args: string[]) =>
    execFileSync("git", ["-C", dir, "-c", `user.name=${zhao.name}`, "-c", `user.email=${zhao.email}`, ...args], {
      encoding: "utf8",
      env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_SYSTEM: "/dev/null" },
    }).trim()

/** A repository with one commit of Zhao's. */
async function repository(message: string) {
  const dir = await mkdtemp(join(tmpdir(), "gantry-test-repository-"))
  templates.push(dir)
  const git = gitIn(dir)
  git("init", "-q", "-b", "main", "--template=")
  writeFileSync(join(dir, "a.txt"), "a\n")
  writeFileSync(join(dir, ".gitignore"), ".gantry/\n")
  git("add", "-A")
  git("commit", "-q", "-m", message)
  const [commit = "", tree = ""] = git("rev-parse", "HEAD", "HEAD^{tree}").split("\n")
  return { dir, commit, tree }
}

/** A repository with one commit of Zhao's, and a pipeline with a real gate and a rollout that only notes what it deploys. */
export async function makeWorld(
  options: {
    readonly services?: readonly string[]
    readonly message?: string
    readonly prod?: Record<string, unknown>
    readonly approvers?: readonly Approver[]
  } = {},
) {
  const project = await temporaryProject()
  const template = await (options.message === undefined
    ? (plain ??= repository("A change"))
    : repository(options.message))
  await cp(template.dir, project, { recursive: true })
  const { commit, tree } = template
  const git = gitIn(project)

  const configure = (prod: Record<string, unknown>, approvers: readonly Approver[]): Settings => {
    const config = ProjectConfig.parse({ project: "shop", environments: { test: {}, prod }, approvers })
    const { engine, environments, scan, ci } = config
    return {
      project: "shop",
      root: project,
      engine,
      services: [],
      environments,
      scan,
      configRepo: undefined,
      approvers,
      ci,
    }
  }
  const world = {
    project,
    git,
    commit,
    settings: configure(options.prod ?? { replicas: 3, approvals: {} }, options.approvers ?? [lin, wang, zhao]),
    configure,
    results: {
      source: {},
      reference: (service) => `127.0.0.1:5000/shop/${service}@${digestOf(service)}`,
      built: digestOf,
      scanned: digestOf,
      deployed: digestOf,
      failedTests: 0,
    } as Results,
    /** What the rollout has deployed. */
    rolledOut: [] as string[],
    /** The moment at which the rollout verifies; undefined: now. */
    later: undefined as Date | undefined,
    pipeline: (services = options.services ?? ["catalog"]): Pipeline => deliver(world, tree, services),
    run: (services?: readonly string[]) => runPipeline(world.pipeline(services), { project, commit }),
    resume: (run: string, services?: readonly string[]) =>
      runPipeline(world.pipeline(services), { project, commit, resume: run }),
    decide: (run: string, as: Approver | string, decision: Statement["decision"] = "approved", more: object = {}) =>
      decide({
        store: openStore(project),
        run,
        as: typeof as === "string" ? as : as.email,
        reason: "tested",
        decision,
        approvers: world.settings.approvers,
        ...more,
      }),
  }
  return world
}
export type World = Awaited<ReturnType<typeof makeWorld>>

/** A run that waits, and its folder of decisions. */
export async function waitingRun(world: World, services = ["catalog"]) {
  const { record, store } = await world.run(services)
  const dir = join(store.runDir(record.id), "approvals/gate")
  return { id: record.id, dir, runDir: store.runDir(record.id), audit: join(store.root, "audit.ndjson") }
}
const Tests = z.object({ suite: z.string(), total: z.number(), failed: z.number() })

function deliver(world: World, tree: string, services: readonly string[]): Pipeline {
  const { settings, results } = world
  const source = step("checkout", {
    engine: false,
    cache: false,
    output: Source,
    run: async ({ run }) => ({
      commit: run.commit,
      tree,
      dirty: false,
      author: { name: zhao.name, email: zhao.email },
      date: "2026-11-20T12:00:00Z",
      subject: "A change",
      changed: [],
      services: {},
      ...results.source,
    }),
  })
  const answer = <Out extends Json>(id: string, output: z.ZodType<Out>, make: () => NoInfer<Out>): Step<Out> =>
    step(id, { engine: false, cache: false, output, run: async () => make() })
  const artifact = { path: "x", sha256: "0".repeat(64), size: 1 }
  const ways = services.map((service) => ({
    service,
    image: answer(`${service}.image`, BuiltImage, () => ({
      service,
      digest: results.built(service),
      archive: artifact,
      size: 1,
      labels: {},
    })),
    scan: answer(`${service}.trivy`, Scan, () => ({
      digest: results.scanned(service),
      counts: { HIGH: 0 },
      exceptions: 0,
      reports: { json: artifact, sarif: artifact, table: artifact, sbom: artifact },
    })),
    release: answer(`${service}.push`, Release, () => ({
      service,
      reference: results.reference(service),
      tag: `127.0.0.1:5000/shop/${service}:sha-1`,
      digest: digestOf(service),
      commit: world.commit,
    })),
    test: answer(`${service}.deploy-test`, Deployment, () => ({
      environment: "test",
      service,
      digest: results.deployed(service),
      commit: world.commit,
      url: "http://127.0.0.1:1",
      replicas: 1,
      configHash: "c0",
      unchanged: false,
    })),
    tests: answer(`${service}.acceptance`, Tests, () => ({
      suite: `${service}.acceptance`,
      total: 4,
      failed: results.failedTests,
    })),
  }))
  const approval = gate(settings, "prod", {
    source,
    images: ways.map((w) => w.image),
    scans: ways.map((w) => w.scan),
    releases: ways.map((w) => w.release),
    deployments: ways.map((w) => w.test),
    tests: ways.map((w) => w.tests),
    quality: [],
  })
  const rollouts = ways.map(({ service, release }): MaybeStep<void> =>
    step(`${service}.rollout-prod`, {
      engine: false,
      needs: { approval, source, release },
      effect: { key: () => service, retry: { attempts: 1 }, reconcile: "repeat" },
      run: async ({ needs, run }) => {
        if (needs.approval === undefined) throw new Error("no approval")
        await verifyApproval(
          { settings, environment: "prod", run, ...needs, approval: needs.approval },
          {},
          world.later,
        )
        world.rolledOut.push(`${service} ${needs.release.digest}`)
      },
    }),
  )
  return pipeline("delivery", { targets: rollouts })
}
