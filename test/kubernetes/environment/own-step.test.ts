import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { afterAll, beforeAll, expect, it } from "vitest"
import { environment, type EnvironmentInput } from "../../../environments/environment.js"
import { accountYaml } from "../../../environments/kubernetes/rbac.js"
import { findDeployment, runDeploy, type DeployContext } from "../../../steps/deploy/run.js"
import type { Release, Source } from "../../../steps/outputs.js"
import { ServiceDeclaration, type Service } from "../../../steps/service.js"
import type { Settings } from "../../../steps/settings.js"
import { until } from "../../integration/environments/lab.js"
import { commitAll, gitIn } from "../../integration/steps/commit.js"
import { configMap, nodePort, projectFolder, workload, yaml } from "./own-files.js"
import { openRig, type Rig } from "../rig.js"

const input: EnvironmentInput = {
  strategy: { kind: "rolling", minReadySeconds: 1, drainSeconds: 1, graceSeconds: 5 },
  kubernetes: { services: { web: { own: { kind: "manifests", path: "k8s" } } } },
}
let rig: Rig
let project: Awaited<ReturnType<typeof projectFolder>>
beforeAll(async () => {
  rig = await openRig(input)
  project = await projectFolder()
})
afterAll(async () => {
  await rig.close()
  await project.close()
})

function contextOf(source: Source, release: Release): DeployContext {
  const { root } = project
  return {
    run: {
      id: "r1",
      pipeline: "delivery",
      dir: join(root, ".gantry", "r1"),
      project: root,
      commit: source.commit,
      dirty: false,
    },
    needs: { source, release },
    secrets: {},
    signal: new AbortController().signal,
    log: {
      info: (l) => void rig.lines.push(l),
      warn: (l) => void rig.lines.push(l),
      write: (l) => void rig.lines.push(l),
    },
    publish: () => undefined,
    artifacts: {
      put: (name) => Promise.resolve({ path: name, sha256: "0".repeat(64), size: 0 }),
      putFolder: () => Promise.resolve([]),
      open: () => Promise.reject(new Error("none")),
    },
  }
}

const service: Service = {
  ...ServiceDeclaration.parse({
    name: "web",
    toolchain: { image: "node:22" },
    build: { port: 8080 },
    health: { readiness: "/ready", startupTimeout: 30 },
    env: { VERSION: "of the declaration" },
  }),
  path: "web",
}
const settingsOf = (given: EnvironmentInput): Settings => ({
  project: "shop",
  root: project.root,
  engine: rig.project.engine,
  services: [service],
  environments: { test: environment("test", rig.complete(given)) },
  scan: {} as Settings["scan"],
  configRepo: undefined,
  approvers: [],
  ci: {} as Settings["ci"],
})
async function released(tag: string, { commit: of }: Source): Promise<Release> {
  const image = await rig.image(tag)
  return { service: "web", ...image, tag: image.reference.replace(/@.*/, `:${tag}`), commit: of }
}

it("the deploy step renders the objects of the commit, whatever lies in the work tree, and finds its deed again", async () => {
  await project.write({
    ".gitignore": ".gantry\n",
    "web/k8s/web.yaml": yaml(
      workload({ name: "web", version: "committed" }),
      nodePort("web"),
      configMap("web-of-commit"),
    ),
  })
  gitIn(project.root)("init", "-q", "-b", "main")
  const source = commitAll(project.root)
  await writeFile(join(project.root, "web/k8s/web.yaml"), yaml(workload({ name: "web", version: "dirty" })))
  const release = await released("one", source)
  const settings = settingsOf(input)
  const done = await runDeploy(contextOf(source, release), settings, service, "test")
  expect(done).toMatchObject({ environment: "test", service: "web", digest: release.digest, unchanged: false })
  const version = await rig.lab.kubectl([
    "-n",
    rig.namespace,
    "get",
    "deployment",
    "web",
    "-o",
    "jsonpath={.spec.template.spec.containers[0].env[1].value}",
  ])
  expect(version).toBe("committed")
  const found = await findDeployment(contextOf(source, release), settings, service, "test")
  expect(found).toMatchObject({ digest: release.digest, configHash: done.configHash })
  // Other objects are another release.
  const next = commitAll(project.root)
  expect(await findDeployment(contextOf(next, release), settings, service, "test")).toBeUndefined()
  const changed = await runDeploy(contextOf(next, release), settings, service, "test")
  expect(changed).toMatchObject({ unchanged: false, previous: release.reference })
  expect(changed.configHash).not.toBe(done.configHash)
})

it("the account of an environment has the rights for it, and is told of a kind that it has none for", async () => {
  const { namespace, lab } = rig
  const account = { project: "shop", environment: "test", profile: "test", namespace, prometheus: "prometheus" }
  await lab.kubectl(["apply", "-f", "-"], { input: accountYaml(account) })
  const token = (await lab.kubectl(["-n", namespace, "create", "token", "gantry"])).trim()
  const config = JSON.parse(await lab.kubectl(["config", "view", "--raw", "-o", "json"])) as {
    users: { name: string; user: object }[]
  }
  const users = config.users.map(({ name }) => ({ name, user: { token } }))
  const metadata = { name: "web" }
  const allowed = { podSelector: { matchLabels: { app: "web" } }, policyTypes: ["Ingress"], ingress: [{}] }
  const objects = [
    workload({ name: "web", version: "by the account", kind: "DaemonSet" }),
    nodePort("web"),
    configMap("web-settings"),
    { apiVersion: "v1", kind: "Secret", metadata, stringData: { word: "between us" } },
    { apiVersion: "v1", kind: "ServiceAccount", metadata },
    { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy", metadata, spec: allowed },
    {
      ...{ apiVersion: "v1", kind: "PersistentVolumeClaim", metadata },
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Mi" } } },
    },
  ]
  const kubeconfig = ".gantry/kubeconfig"
  const files = { ".gitignore": ".gantry\n", [kubeconfig]: JSON.stringify({ ...config, users }) }
  await project.write({ ...files, "web/k8s/web.yaml": yaml(...objects) })
  gitIn(project.root)("init", "-q", "-b", "main")
  const source = commitAll(project.root)
  const given = { ...input, kubernetes: { ...input.kubernetes, kubeconfig: join(project.root, kubeconfig) } }
  const settings = settingsOf(given)
  const first = await runDeploy(contextOf(source, await released("one", source)), settings, service, "test")
  // The cluster's network learns of a port and a policy a moment after the API does.
  const answer = () => fetch(first.url, { signal: AbortSignal.timeout(2000) }).then((r) => r.text(), String)
  await until(async () => (await answer()).startsWith("by the account web-"), 30)
  const second = await runDeploy(contextOf(source, await released("two", source)), settings, service, "test")
  expect(second).toMatchObject({ unchanged: false, previous: expect.stringContaining(first.digest) as string })
  expect((await rig.rollBack("web", given)).release.digest).toBe(first.digest)

  const lease = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata }
  const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata, spec: { hard: { pods: "99" } } }
  await project.write({ ...files, "web/k8s/web.yaml": yaml(...objects, lease, quota) })
  gitIn(project.root)("init", "-q", "-b", "main")
  const beyond = commitAll(project.root)
  const refused = runDeploy(contextOf(beyond, await released("two", beyond)), settings, service, "test")
  await expect(refused).rejects.toMatchObject({
    code: "K8S-FORBIDDEN",
    message: expect.stringContaining("may not patch resourcequotas") as string,
  })
})
