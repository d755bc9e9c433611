import { appendFile, mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { parse, stringify } from "yaml"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openAccounts } from "../../../cli/demo-cluster.js"
import { loadProject } from "../../../config/index.js"
import { developmentOnly } from "../../../environments/development.js"
import type { EnvironmentDetail } from "../../../environments/index.js"
import { makeRig, statuses, versionAt, type Rig } from "../../e2e/rig.js"
import { ensureLab, type Lab } from "../../lab/kubernetes/index.js"

const project = "devpods"
const namespace = `${project}-dev`

/**
 * The work tree in DEV on a cluster, with an environment that no configuration names: the current context, and a namespace
 * that `gantry env rbac dev` makes. The cases build on each other.
 */
describe("gantry dev --target kubernetes", () => {
  let lab: Lab
  let rig: Rig
  let scratch: string
  beforeAll(async () => {
    lab = await ensureLab()
    scratch = await mkdtemp(join(tmpdir(), `gantry-${project}-`))
    const kubeconfig = join(scratch, "kubeconfig")
    await writeFile(kubeconfig, await readFile(lab.kubeconfig, "utf8"))
    rig = await makeRig({
      project,
      without: ["sonar", "integration tests"],
      env: { KUBECONFIG: kubeconfig, GANTRY_TARGET: "kubernetes" },
    })
  })
  afterAll(async () => {
    await lab.kubectl(["delete", "namespace", "--ignore-not-found", namespace])
    await rig.remove()
    await rm(scratch, { recursive: true, force: true })
  })
  const show = async () => {
    const { code, stdout } = await rig.gantry(["env", "show", "dev", "catalog", "--json"])
    return { code, detail: JSON.parse(stdout) as EnvironmentDetail }
  }

  it("says what makes its namespace where there is none", async () => {
    const run = await rig.gantry(["dev", "catalog"])
    expect(run.code, run.stderr).toBe(3)
    expect(run.stderr).toContain(`K8S-NAMESPACE: There is no namespace ${namespace}`)
    expect(run.stderr).toContain("gantry env rbac <environment> | kubectl apply -f -")
    expect(run.stdout).toBe("")
  })

  it("puts the work tree there by the account of DEV, and prints where", async () => {
    const { settings } = await loadProject(rig.dir, { env: { GANTRY_TARGET: "kubernetes" } })
    const path = join(scratch, "kubeconfig")
    await openAccounts(lab, project, Object.values(developmentOnly(settings).environments), path)
    const config = parse(await readFile(path, "utf8")) as object
    await writeFile(path, stringify({ ...config, "current-context": namespace }))

    await appendFile(join(rig.dir, "shop/config-repo/service-common/application-dev.yml"), "  name: mine\n")
    const run = await rig.gantry(["dev", "catalog"])
    expect(run.code, run.stderr).toBe(0)
    const record = await rig.record()
    expect(record).toMatchObject({ pipeline: "dev", dirty: true, facts: { clusters: { dev: { context: namespace } } } })
    expect(await versionAt(run.stdout.trim())).toMatchObject({ environment: "dev", commit: record.commit })
  })

  it("does next to nothing when nothing changed, and is shown without drift", async () => {
    const run = await rig.gantry(["dev", "catalog"])
    expect(run.code, run.stderr).toBe(0)
    const record = await rig.record()
    expect(statuses(record)).toMatchObject({ "catalog.image": "cached", "catalog.migrate-dev": "success" })
    expect(record.steps.find((s) => s.id === "catalog.deploy-dev")?.output).toMatchObject({ unchanged: true })
    expect(await show()).toMatchObject({
      code: 0,
      detail: { drift: [], services: [{ state: "running", drift: [], cluster: { context: namespace, namespace } }] },
    })
  })

  it("keeps its data when it is stopped, and nothing with --data", async () => {
    const claims = () => lab.kubectl(["-n", namespace, "get", "pvc", "-o", "name"])
    const pods = () => lab.kubectl(["-n", namespace, "get", "pods", "-o", "name"])
    expect((await rig.gantry(["stop", "dev"])).code).toBe(0)
    expect([await pods(), (await claims()).trim()]).toEqual(["", "persistentvolumeclaim/data-catalog-db-0"])
    const gone = await rig.gantry(["stop", "dev", "--data"])
    expect(gone.code, gone.stderr).toBe(0)
    const left = ["deployments,statefulsets,services,pvc,leases,networkpolicies,secrets", "-o", "name"]
    const ours = ["-l", "gantry.dev/environment=dev,app.kubernetes.io/managed-by=gantry,gantry.dev/part"]
    expect(await lab.kubectl(["-n", namespace, "get", ...left, ...ours])).toBe("")
    expect((await rig.gantry(["env", "list"])).stdout).not.toMatch(/^dev /m)
  })
})
