import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import type { Report } from "../../../core/reports.js"
import { removeEnvironments } from "../../../environments/index.js"
import { checkRegistry } from "../../../steps/deploy/registry.js"
import { findDeployment, runDeploy, type DeployContext } from "../../../steps/deploy/run.js"
import { deploy, rollout } from "../../../steps/deploy/index.js"
import { step } from "../../../core/step.js"
import { Approval, Release, Source } from "../../../steps/outputs.js"
import { ServiceDeclaration, type Service } from "../../../steps/service.js"
import type { Settings } from "../../../steps/settings.js"
import { openLab, type Lab } from "../environments/lab.js"
import { commitAll, gitIn } from "./commit.js"

const strategy = { kind: "rolling", minReadySeconds: 0, drainSeconds: 5 } as const
let lab: Lab
let project: string
let settings: Settings
let service: Service
let releases: Release[]

async function commit(files: Record<string, string>): Promise<Source> {
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(project, name)), { recursive: true })
    await writeFile(join(project, name), text)
  }
  return commitAll(project)
}

beforeAll(async () => {
  lab = await openLab({
    test: { replicas: 1, strategy },
    uat: { replicas: 1, strategy },
    prod: { replicas: 1, strategy, approvals: {} },
  })
  project = await mkdtemp(join(tmpdir(), "gantry-deploy-"))
  gitIn(project)("init", "-q", "-b", "main")
  service = {
    ...ServiceDeclaration.parse({
      name: "web",
      toolchain: { image: "node:22" },
      build: { port: 8080 },
      tests: {},
      health: { readiness: "/ready", startupTimeout: 30 },
      env: { VERSION: "v1" },
    }),
    path: "web",
  }
  settings = {
    project: "shop",
    root: project,
    engine: lab.project.engine,
    services: [service],
    environments: lab.project.environments,
    scan: {} as Settings["scan"],
    configRepo: "config-repo",
    approvers: [],
    ci: {} as Settings["ci"],
  }
  releases = []
  for (const tag of ["one", "two"]) {
    const image = await lab.image(tag)
    const name = image.reference.split("@")[0] ?? ""
    releases.push({ service: "web", ...image, tag: `${name}:${tag}`, commit: "c0ffee" })
  }
})
afterAll(async () => {
  await lab.close()
  await rm(project, { recursive: true, force: true })
})

function context(source: Source, release: Release | undefined) {
  const reports: Report[] = []
  const lines: string[] = []
  const kept: string[] = []
  const ctx: DeployContext = {
    run: {
      id: "r1",
      pipeline: "delivery",
      dir: join(project, ".gantry", "runs", "r1"),
      project,
      commit: source.commit,
      dirty: false,
    },
    needs: { source, release: release as Release },
    secrets: {},
    signal: new AbortController().signal,
    log: { info: (l) => void lines.push(l), warn: (l) => void lines.push(l), write: (l) => void lines.push(l) },
    publish: (report) => void reports.push(report),
    artifacts: {
      put: (name) => {
        kept.push(name)
        return Promise.resolve({ path: name, sha256: "0".repeat(64), size: 0 })
      },
      putFolder: () => Promise.resolve([]),
      open: () => Promise.reject(new Error("none")),
    },
  }
  return { ctx, reports, lines, kept }
}

describe("the deploy step", () => {
  it("deploys the commit's configuration for the environment, and says where it is", async () => {
    const source = await commit({
      "config-repo/service-common/application.yml": "shop: { name: shop }\n",
      "config-repo/service-web/application-test.yml": "shop: { place: test }\n",
      "config-repo/service-web/application-prod.yml": "shop: { place: prod }\n",
      ".gitignore": ".gantry\n",
    })
    await writeFile(join(project, "config-repo/service-common/application.yml"), "shop: { name: dirty }\n")
    const { ctx, reports, lines } = context(source, releases[0])
    const output = await runDeploy(ctx, settings, service, "test")
    expect(output).toMatchObject({ environment: "test", service: "web", digest: releases[0]?.digest, unchanged: false })
    const info = (await (await fetch(`${output.url}/info`)).json()) as { config: string }
    expect(info.config).toBe("shop:\n  name: shop\n  place: test\n")
    expect(reports.map((r) => r.kind)).toEqual(["deployment", "link"])
    expect(lines.join("\n")).toMatch(/ready after .* s/)
    // The registry is told to keep it.
    const [host, ...path] = (releases[0]?.reference.split("@")[0] ?? "").split("/")
    const kept = await fetch(`http://${host}/v2/${path.join("/")}/manifests/test-current`, {
      headers: { accept: "application/vnd.docker.distribution.manifest.v2+json" },
    })
    expect(kept.headers.get("docker-content-digest")).toBe(releases[0]?.digest)
    gitIn(project)("checkout", "-q", "--", ".")

    // A process that was killed after the deed, before it was recorded, finds it done.
    const found = await findDeployment(context(source, releases[0]).ctx, settings, service, "test")
    expect(found).toMatchObject({ digest: releases[0]?.digest, configHash: output.configHash })
    expect(await findDeployment(context(source, releases[1]).ctx, settings, service, "test")).toBeUndefined()
    expect((await runDeploy(ctx, settings, service, "test")).unchanged).toBe(true)
  })

  it("rolls when the configuration alone changed, and knows what ran before", async () => {
    const source = await commit({ "config-repo/service-web/application-test.yml": "shop: { place: here }\n" })
    const output = await runDeploy(context(source, releases[0]).ctx, settings, service, "test")
    expect(output).toMatchObject({ unchanged: false, previous: releases[0]?.reference })
  })

  it("names file and line of a broken configuration before it touches anything", async () => {
    const source = await commit({ "config-repo/service-web/application-test.yml": "shop:\n  a: [1\n" })
    await expect(runDeploy(context(source, releases[1]).ctx, settings, service, "test")).rejects.toMatchObject({
      code: "CONFIG-YAML",
      message: expect.stringContaining("service-web/application-test.yml:3") as string,
    })
    await commit({ "config-repo/service-web/application-test.yml": "shop: { place: test }\n" })
  })

  it("brings back an environment that was taken down, where it was", async () => {
    const before = (await lab.target("test")).url
    await removeEnvironments(settings, { only: "test", keepData: true })
    expect(await (await lab.target("test")).describe()).toEqual([])
    const source = await commit({ note: "back" })
    const output = await runDeploy(context(source, releases[0]).ctx, settings, service, "test")
    expect(output).toMatchObject({ unchanged: false, url: before })
    expect((await fetch(`${output.url}/info`)).status).toBe(200)
  })

  it("keeps the log of an instance that failed", async () => {
    const source = await commit({ note: "1" })
    const bad = { ...service, env: { VERSION: "v2", EXIT_AFTER_MS: "100", NEVER_READY: "1" } }
    const { ctx, kept } = context(source, releases[1])
    await expect(runDeploy(ctx, settings, bad, "test")).rejects.toMatchObject({ code: "DEPLOY-DIED", kind: "failed" })
    expect(kept[0]).toMatch(/-shop-test-web-\d+\.log$/)
  })
})

describe("the rollout step", () => {
  const source = step("checkout", { output: Source, run: () => Promise.reject(new Error("not run")) })
  const release = step("web.push", { output: Release, run: () => Promise.reject(new Error("not run")) })
  const approval = step("gate", { output: Approval, run: () => Promise.reject(new Error("not run")) })
  const approved: Approval = {
    decision: "approved",
    by: "Mallory",
    reason: "trust me",
    at: new Date().toISOString(),
    expiresAt: new Date(Date.now() + 3_600_000).toISOString(),
    evidenceHash: "0".repeat(64),
  }

  it.each([
    ["without an approval", undefined, "ROLLOUT-UNAPPROVED"],
    ["with a record of an approval that nobody gave", approved, "APPROVAL-EVIDENCE"],
  ])("deploys nothing %s", async (_, given, code) => {
    const rolled = rollout(settings, service, "prod", { source, release, approval })
    const { ctx } = context(await commit({ note: String(code) }), releases[0])
    const run = rolled.definition.run({ ...ctx, needs: { ...ctx.needs, approval: given } } as never)
    await expect(run).rejects.toMatchObject({ code })
    expect(await (await lab.target("prod")).describe()).toEqual([])
  })

  it("looks the digest up in the registry", async () => {
    const at = await commit({ note: "registry" })
    await checkRegistry(context(at, releases[0]).ctx, settings, service)
    const digest = `sha256:${"0".repeat(64)}`
    const forged = {
      ...(releases[0] as Release),
      digest,
      reference: `${releases[0]?.reference.split("@")[0]}@${digest}`,
    }
    await expect(checkRegistry(context(at, forged).ctx, settings, service)).rejects.toMatchObject({
      code: "ROLLOUT-DIGEST",
    })
  })

  it("has a dirty work tree go to the first environment only", () => {
    expect(deploy(settings, service, "test", { source, release }).when).toBeUndefined()
    expect(deploy(settings, service, "uat", { source, release }).when).toEqual({ kind: "clean" })
    expect(rollout(settings, service, "prod", { source, release, approval }).when).toEqual({ kind: "clean" })
  })

  it("is the only way to an environment that demands approvals", () => {
    expect(() => deploy(settings, service, "prod", { source, release })).toThrow(
      expect.objectContaining({ code: "DEPLOY-WANTS-GATE", kind: "usage" }) as Error,
    )
  })
})

it("environments are removed whole", async () => {
  await removeEnvironments(settings)
  const prefix = lab.project.engine.stack
  const all = await lab.docker.listContainers({ all: true, filters: { name: [`${prefix}-shop`] } })
  expect(all).toEqual([])
  expect(await lab.docker.listNetworks({ filters: { name: [prefix] } })).toEqual([])
})
