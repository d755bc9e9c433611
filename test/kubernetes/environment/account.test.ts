import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { openAccounts } from "../../../cli/demo-cluster.js"
import { packageRoot } from "../../../core/package-root.js"
import { runContainer } from "../../../engine/docker/run.js"
import { localImage } from "../../../engine/image/local.js"
import { deployRelease } from "../../../environments/deployment/deploy.js"
import { environment, type Environment } from "../../../environments/environment.js"
import {
  compareEnvironments,
  describeEnvironments,
  memoryOf,
  removeEnvironments,
  targetOf,
  type EnvironmentService,
  type ReleaseSpec,
} from "../../../environments/index.js"
import { accountName } from "../../../environments/kubernetes/rbac.js"
import { makeProject } from "../../unit/cli/rig.js"
import { gitlabAgent } from "./agent.js"
import { openRig, type Rig } from "../rig.js"

/** Whose account Gantry works with: one for each environment in one kubeconfig, or that of the pod that it runs in. */
const names = ["test", "uat"] as const
let rig: Rig
let scratch: string
let kubeconfig: string
let environments: Record<(typeof names)[number], Environment>
let releases: Record<(typeof names)[number], ReleaseSpec>
const namespaceOf = (name: string) => `${rig.namespace}-${name}`

beforeAll(async () => {
  rig = await openRig()
  scratch = await mkdtemp(join(tmpdir(), "gantry-accounts-"))
  kubeconfig = join(scratch, "kubeconfig")
  const resources = { requests: { cpu: "10m", memory: "48Mi" }, limits: { cpu: "1", memory: "256Mi" } }
  const on = (name: string, context = namespaceOf(name)) =>
    environment(name, {
      target: "kubernetes",
      replicas: 1,
      strategy: { kind: "rolling", minReadySeconds: 0, drainSeconds: 1, graceSeconds: 3 },
      kubernetes: {
        kubeconfig,
        context,
        namespace: namespaceOf(name),
        expose: { kind: "nodePort" },
        defaults: { resources },
      },
    })
  environments = { test: on("test"), uat: on("uat") }
  await openAccounts(rig.lab, "shop", Object.values(environments), kubeconfig)
  const image = await rig.image("one")
  releases = { test: rig.release(image), uat: rig.release(image, { env: { VERSION: "v2" }, config: "mine: yes\n" }) }
  for (const name of names) await deploy(environments[name], releases[name])
})
afterAll(async () => {
  await rig.lab.kubectl(["delete", "namespace", "--ignore-not-found", ...names.map(namespaceOf)])
  await rig.close()
  await rm(scratch, { recursive: true, force: true })
})

const project = () => ({ ...rig.project, services: [{ name: "web" }], environments })
async function deploy(environment: Environment, release: ReleaseSpec) {
  const { engine } = rig
  const tell = (line: string) => void rig.lines.push(line)
  const target = await targetOf({ engine, project: rig.project, environment, service: "web", tell })
  const { signal } = new AbortController()
  return deployRelease({ target, environment, release, signal, tell, keepLog: () => Promise.resolve() })
}

describe("two contexts of one kubeconfig", () => {
  it("are two environments with an account each, seen and compared in one go", async () => {
    const all = await describeEnvironments(project())
    expect(all).toMatchObject(
      names.map((name) => ({ environment: name, state: "running", release: { digest: releases[name].digest } })),
    )
    const [one, two] = all
    expect(await (await fetch(one?.url ?? "")).text()).toMatch(/^v1 /)
    expect(await (await fetch(two?.url ?? "")).text()).toMatch(/^v2 /)
    expect(JSON.stringify(await compareEnvironments(project(), "test", "uat"))).toContain("mine")
  })

  it("the account of one has no business in the other: verb, resource and namespace are named", async () => {
    const { uat } = environments
    const wrong = { ...uat, kubernetes: { ...uat.kubernetes, context: namespaceOf("test") } }
    const error = await rig.failure(deploy(wrong, releases.test))
    expect(error).toMatchObject({ code: "K8S-FORBIDDEN", kind: "errored" })
    expect(error.message).toMatch(
      new RegExp(
        `^The account of context ${namespaceOf("test")} may not \\S+ \\S+ in namespace ${namespaceOf("uat")}$`,
      ),
    )
    const of = { ...project(), environments: { ...environments, uat: wrong } }
    const [, seen] = await describeEnvironments(of)
    expect(seen).toMatchObject({ state: "unknown", trouble: { code: "K8S-FORBIDDEN" } })
  })
})

it("through GitLab's agent: by a job's token, below a path of another server", async () => {
  const agent = await gitlabAgent(rig, kubeconfig, namespaceOf("test"), join(scratch, "agent"))
  try {
    const { test } = environments
    const { kubeconfig, context } = agent
    const byAgent = { ...test, kubernetes: { ...test.kubernetes, kubeconfig, context } }
    const again = await rig.image("two")
    const deployed = await deploy(byAgent, rig.release(again))
    expect(deployed).toMatchObject({ unchanged: false, release: { digest: again.digest } })
    const of = { ...project(), environments: { test: byAgent } }
    const [seen] = await describeEnvironments(of)
    expect(seen).toMatchObject({ state: "running", reachable: true, release: { digest: again.digest } })
    expect(agent.requests).toContainEqual(expect.stringMatching(/^PATCH \/apis\/apps\/v1\/.*\/deployments\/web-/))
    await deploy(test, releases.test)
  } finally {
    agent.close()
  }
})

describe("in a pod, by its mounted token and the variables of every pod", () => {
  /** Runs the built command on the node's network, with nothing but what a pod of the account has. */
  async function inPod(...args: readonly string[]) {
    const account = join(scratch, "account")
    await mkdir(account, { recursive: true })
    const kubectl = (...more: string[]) => rig.lab.kubectl(["-n", namespaceOf("test"), ...more])
    await writeFile(join(account, "token"), (await kubectl("create", "token", accountName)).trim())
    const ca = ["get", "configmap", "kube-root-ca.crt", "-o", String.raw`jsonpath={.data.ca\.crt}`]
    await writeFile(join(account, "ca.crt"), await kubectl(...ca))
    await writeFile(join(account, "namespace"), namespaceOf("test"))
    const service = ["get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}"]
    const { dir } = await makeProject({
      "gantry.config.ts": `export default ${JSON.stringify({
        project: "shop",
        services: ["web"],
        environments: { test: { target: "kubernetes", replicas: 1, kubernetes: { namespace: namespaceOf("test") } } },
      })}\n`,
      "web/gantry.service.yaml": `name: web\ntoolchain: { image: "node:22" }\nbuild: {}\nhealth: {}\n`,
    })
    const ran = await runContainer(rig.engine.docker, {
      image: (await localImage(rig.engine, "docker.io/library/node:22-trixie-slim")).name,
      command: ["node", "/gantry/dist/cli/main.js", "-C", "/project", ...args],
      network: `container:${rig.lab.name}`,
      binds: [
        `${packageRoot()}:/gantry:ro`,
        `${dir}:/project`,
        `${account}:/var/run/secrets/kubernetes.io/serviceaccount:ro`,
      ],
      env: {
        KUBERNETES_SERVICE_HOST: await rig.lab.kubectl(["-n", "default", ...service]),
        KUBERNETES_SERVICE_PORT: "443",
        CI: "true",
      },
    })
    return { code: ran.exitCode, output: ran.output }
  }

  it("it finds the cluster, reads what runs there, and may change it", async () => {
    const list = await inPod("env", "list", "--json")
    expect(list.code, list.output).toBe(0)
    const [web] = JSON.parse(list.output.slice(list.output.indexOf("["))) as readonly EnvironmentService[]
    expect(web).toMatchObject({ environment: "test", service: "web", state: "running", reachable: true })
    expect(web?.release?.digest).toBe(releases.test.digest)

    // A lock of somebody else, which it takes away: a Lease that is deleted.
    const { locks } = memoryOf(project(), "test", "web")
    const { signal } = new AbortController()
    const unlocked = locks.hold("deploy", "deploy web to test", () => inPod("unlock", "test", "--force"), { signal })
    const { code, output } = await unlocked
    expect(code, output).toBe(0)
    expect(await locks.holder("deploy")).toBeUndefined()
  })
})

it("an environment is taken down by its own account, which stays, and with it what denies; the next deployment brings it back", async () => {
  const kinds = "roles,rolebindings,serviceaccounts,networkpolicies,resourcequotas,limitranges"
  const objects = async () =>
    (await rig.lab.kubectl(["-n", namespaceOf("uat"), "get", kinds, "-l", "!gantry.dev/part", "-o", "name"])).trim()
  const before = await objects()
  expect(before).toMatch(/rolebinding[^]*gantry/)
  await removeEnvironments(project(), { only: "uat" })
  expect((await describeEnvironments(project())).map((s) => s.state)).toEqual(["running", "empty"])
  expect(await objects()).toBe(before)
  await deploy(environments.uat, releases.uat)
  expect((await describeEnvironments(project())).map((s) => s.state)).toEqual(["running", "running"])
})
