import { mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openAccounts } from "../../../cli/demo-cluster.js"
import { loadProject } from "../../../config/index.js"
import type { Plan } from "../../../core/plan.js"
import type { RunRecord } from "../../../core/record.js"
import type { EnvironmentDetail } from "../../../environments/index.js"
import { engineConfig } from "../../../engine/config.js"
import { engineContext } from "../../../engine/context.js"
import { makeRig, statuses, urls, versionAt, type Rig } from "../../e2e/rig.js"
import { ensureLab, type Lab } from "../../lab/kubernetes/index.js"
import { yaml } from "./own-files.js"
import { importRedis, redis } from "./redis.js"

const project = "onpods"
const names = ["test", "uat", "prod"] as const
const services = ["catalog", "order"] as const
const namespaces = names.map((name) => `${project}-${name}`)

/** Both services three times on one node with two cores; a context, and so an account, for each environment. */
const prologue = `
const resources = { requests: { cpu: "10m", memory: "96Mi" }, limits: { cpu: "1500m", memory: "768Mi" } }
const defaults = { resources, database: { storage: "1Gi", resources } }
const cache = { kind: "manifests" as const, path: "deploy/redis.yaml", ports: [6379], services: ["catalog"] }
const on = (name: string) =>
  ({ context: name, namespace: name, expose: { kind: "nodePort" as const }, defaults, dependencies: { cache } })

`
const environments = `
    test: { replicas: 1, kubernetes: on("${project}-test") },
    uat: { replicas: 1, kubernetes: on("${project}-uat") },
    prod: { replicas: 2, kubernetes: on("${project}-prod"), approvals: { required: 1 } },`

interface PodList {
  readonly items: readonly {
    readonly metadata: { readonly name: string; readonly uid: string }
    readonly spec: { readonly containers: readonly { readonly image: string }[] }
    readonly status: { readonly containerStatuses: readonly { readonly imageID: string }[] }
  }[]
}

/**
 * The shop travels to three namespaces, each with an account that can do nothing elsewhere. The cases build on each other, as
 * in test/e2e/delivery.test.ts.
 */
describe("gantry run delivery --target kubernetes", () => {
  let lab: Lab
  let rig: Rig
  let scratch: string
  let delivered: RunRecord

  beforeAll(async () => {
    lab = await ensureLab()
    scratch = await mkdtemp(join(tmpdir(), "gantry-onpods-"))
    const kubeconfig = join(scratch, "kubeconfig")
    rig = await makeRig({
      project,
      services,
      without: ["sonar", "integration tests"],
      prologue,
      environments,
      env: { KUBECONFIG: kubeconfig },
      files: { "deploy/redis.yaml": yaml(...redis("cache")) },
    })
    await importRedis(lab, engineContext(engineConfig.parse({})))
    const { settings } = await loadProject(rig.dir)
    await openAccounts(lab, project, Object.values(settings.environments), kubeconfig)
  })
  afterAll(async () => {
    await lab.kubectl(["delete", "namespace", "--ignore-not-found", ...namespaces])
    await rig.remove()
    await rm(scratch, { recursive: true, force: true })
  })

  const instances = async (environment: string, service: string) => {
    const of = ["-n", `${project}-${environment}`, "-l", `app.kubernetes.io/name=${service},gantry.dev/part=instance`]
    return (JSON.parse(await lab.kubectl(["get", "pods", ...of, "-o", "json"])) as PodList).items
  }
  const uids = async () => {
    const all = await Promise.all(names.flatMap((n) => services.map(async (s) => instances(n, s))))
    return all.flat().map((pod) => pod.metadata.uid)
  }
  const approve = async (env: Record<string, string> = {}) => {
    const { id } = await rig.record()
    return rig.gantry(["approve", id, "--as", "Lin Release", "--reason", "tested", "--resume"], { env })
  }

  it("is the same graph as on Docker", async () => {
    const graph = async (target: string) => {
      const { code, stdout, stderr } = await rig.gantry(["plan", "delivery", "--target", target, "--json"])
      expect(code, stderr).toBe(0)
      return (JSON.parse(stdout) as Plan).steps.map(({ id, kind, needs, stage, action }) => ({
        id,
        kind,
        needs,
        stage,
        action,
      }))
    }
    const onDocker = await graph("docker")
    expect(onDocker.map((s) => s.id)).toContain("order.rollout-prod")
    expect(await graph("kubernetes")).toEqual(onDocker)
  })

  it("brings both services to TEST and UAT, and waits", async () => {
    const run = await rig.gantry(["run", "delivery", "--target", "kubernetes"])
    expect(run.code, run.stderr).toBe(4)
    const record = await rig.record()
    for (const service of services) {
      expect(statuses(record)).toMatchObject({
        [`${service}.migrate-test`]: "success",
        [`${service}.deploy-test`]: "success",
        [`${service}.acceptance`]: "success",
        [`${service}.migrate-uat`]: "success",
        [`${service}.deploy-uat`]: "success",
        [`${service}.uat-checks`]: "success",
        [`${service}.rollout-prod`]: "pending",
      })
    }
    expect(statuses(record)).toMatchObject({
      "dependencies-test": "success",
      "dependencies-uat": "success",
      "dependencies-prod": "pending",
    })
    expect(record.facts).toMatchObject({ targets: { test: "kubernetes", uat: "kubernetes", prod: "kubernetes" } })
  }, 2_400_000)

  it("goes on where it began, also when the variable says something else by then", async () => {
    const approved = await approve({ GANTRY_TARGET: "docker" })
    expect(approved.code, approved.stderr).toBe(0)
    delivered = await rig.record()
    expect(Object.keys(urls(delivered)).sort()).toEqual(["prod", "test", "uat"])
    const { docker } = engineContext(engineConfig.parse({}))
    const containers = await docker.listContainers({ all: true, filters: { name: [`-${project}-`] } })
    expect(containers).toEqual([])
  }, 2_400_000)

  it("has one digest of each service in all three namespaces, and answers there with the commit", async () => {
    const reports = delivered.steps.flatMap((s) => s.reports.filter((r) => r.kind === "deployment"))
    for (const service of services) {
      const own = reports.filter((r) => r.service === service)
      expect(own.map((r) => r.environment).sort()).toEqual(["prod", "test", "uat"])
      const [digest, ...others] = new Set(own.map((r) => r.digest))
      expect(others).toEqual([])
      for (const { environment, url, replicas } of own) {
        expect((await versionAt(url)).commit).toBe(delivered.commit)
        const pods = await instances(environment, service)
        expect(pods).toHaveLength(replicas)
        for (const pod of pods) {
          expect(pod.spec.containers[0]?.image).toMatch(new RegExp(`/${project}/${service}@${digest}$`))
          expect(pod.status.containerStatuses[0]?.imageID).toContain(digest)
        }
      }
    }
  })

  it("has in each of them what the services depend on, and nothing that was changed by hand", async () => {
    for (const name of names) {
      const { code, stdout, stderr } = await rig.gantry(["env", "show", name, "--target", "kubernetes", "--json"])
      expect(code, stderr).toBe(0)
      const { dependencies } = JSON.parse(stdout) as EnvironmentDetail
      expect(dependencies).toMatchObject([
        { name: "cache", kind: "manifests", state: "ready", commit: delivered.commit },
      ])
    }
  })

  it("changes nothing in a second run of the same commit", async () => {
    const before = await uids()
    const until = ["--service", "order", "--until", "order.deploy-test"]
    const run = await rig.gantry(["run", "delivery", ...until], { env: { GANTRY_TARGET: "kubernetes" } })
    expect(run.code, run.stderr).toBe(0)
    const reports = (await rig.record()).steps.flatMap((s) => s.reports.filter((r) => r.kind === "deployment"))
    expect(reports.map((r) => [r.service, r.environment, r.unchanged])).toEqual([["order", "test", true]])
    expect(await uids()).toEqual(before)
  }, 2_400_000)

  it("takes a release back by digest and configuration", async () => {
    const config = async () => {
      const list = ["-n", `${project}-prod`, "get", "deployments", "-l", "app.kubernetes.io/name=catalog", "-o"]
      return lab.kubectl([...list, String.raw`jsonpath={.items[*].metadata.annotations.gantry\.dev/config-hash}`])
    }
    const first = await config()
    await rig.change("shop/config-repo/service-catalog/application-prod.yml", (text) => `${text}\nwired: next\n`)
    const run = await rig.gantry(["run", "delivery", "--target", "kubernetes", "--service", "catalog"])
    expect(run.code, run.stderr).toBe(4)
    const approved = await approve()
    expect(approved.code, approved.stderr).toBe(0)
    expect(await config()).not.toBe(first)
    const back = await rig.gantry([
      ...["rollback", "prod", "--target", "kubernetes", "--service", "catalog"],
      ...["--as", "Lin Release", "--reason", "a test"],
    ])
    expect(back.code, back.stderr).toBe(0)
    expect(await config()).toBe(first)
    expect((await versionAt(urls(delivered)["prod"])).commit).toBe(delivered.commit)
  }, 2_400_000)
})
