import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import { parse, stringify } from "yaml"
import type { Fault } from "../../../core/errors.js"
import type { EnvironmentInput } from "../../../environments/environment.js"
import { describeEnvironment } from "../../../environments/index.js"
import { releaseSpec, type ReleaseSpec } from "../../../environments/release.js"
import { until } from "../../integration/environments/lab.js"
import { openRig, type Rig } from "../rig.js"
import { webhook, type Say, type Webhook } from "./webhook.js"

/** What a cluster says no to, and what becomes of a deployment then: a clear error, and the release before serves whole. */
const input: EnvironmentInput = {
  replicas: 2,
  strategy: { kind: "rolling", minReadySeconds: 0, drainSeconds: 10, graceSeconds: 3, progressDeadlineSeconds: 60 },
}
let rig: Rig
let one: ReleaseSpec
let two: ReleaseSpec
let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "gantry-kube-"))
  rig = await openRig(input)
  one = rig.release(await rig.image("one"))
  two = rig.release(await rig.image("two"), { env: { VERSION: "v2" } })
  await rig.deploy(one)
})
afterAll(async () => {
  await rig.close()
  await rm(folder, { recursive: true, force: true })
})

const failure = (work: Promise<unknown>) => rig.failure(work)
const version = () => rig.version()
const apply = (object: object) => rig.lab.kubectl(["apply", "-f", "-"], { input: JSON.stringify(object) })
/** The admin's kubeconfig, changed. */
async function kubeconfig(
  name: string,
  change: (user: Record<string, unknown>, cluster: Record<string, unknown>) => void,
) {
  interface Config {
    users: { user: Record<string, unknown> }[]
    clusters: { cluster: Record<string, unknown> }[]
  }
  const config = parse(await readFile(rig.lab.kubeconfig, "utf8")) as Config
  const [user, cluster] = [config.users[0]?.user, config.clusters[0]?.cluster]
  if (user === undefined || cluster === undefined) throw new Error("no user")
  change(user, cluster)
  const path = join(folder, name)
  await writeFile(path, stringify(config), { mode: 0o600 })
  return path
}
const as = (path: string): EnvironmentInput => ({ ...input, kubernetes: { kubeconfig: path } })
const tokenOnly = (token: string) => (user: Record<string, unknown>) => {
  delete user["client-certificate-data"]
  delete user["client-key-data"]
  user["token"] = token
}

describe("a kubeconfig that does not do", () => {
  it("is not there", async () => {
    const error = await failure(rig.deploy(two, { input: as(join(folder, "nowhere")) }))
    expect(error).toMatchObject({ code: "K8S-KUBECONFIG", kind: "usage" })
  })
  it("has no such context", async () => {
    const error = await failure(
      rig.deploy(two, { input: { ...input, kubernetes: { kubeconfig: rig.lab.kubeconfig, context: "prod" } } }),
    )
    expect(error).toMatchObject({ code: "K8S-KUBECONFIG", kind: "usage" })
    expect(error.reason).toContain(rig.lab.context)
  })
  it("has a token that nobody knows any more", async () => {
    const path = await kubeconfig("expired", tokenOnly("eyJhbGciOiJSUzI1NiJ9.e30.c2ln"))
    expect(await failure(rig.deploy(two, { input: as(path) }))).toMatchObject({
      code: "K8S-UNAUTHORIZED",
      kind: "errored",
    })
  })
  it("trusts another authority", async () => {
    const path = await kubeconfig("foreign", (_user, cluster) => {
      delete cluster["certificate-authority-data"]
    })
    const error = await failure(rig.deploy(two, { input: as(path) }))
    expect(error).toMatchObject({ code: "K8S-UNREACHABLE", kind: "errored" })
    expect(error.reason).toMatch(/certificate/)
  })
  it("is of an account that may not: verb, resource and namespace are named", async () => {
    const account = { name: "weak", namespace: rig.namespace }
    await apply({ apiVersion: "v1", kind: "ServiceAccount", metadata: account })
    const read = {
      apiGroups: ["", "apps", "coordination.k8s.io"],
      resources: ["*"],
      verbs: ["get", "list", "create", "update", "delete"],
    }
    await apply({ apiVersion: "rbac.authorization.k8s.io/v1", kind: "Role", metadata: account, rules: [read] })
    await apply({
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: account,
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "weak" },
      subjects: [{ kind: "ServiceAccount", ...account }],
    })
    const token = (await rig.lab.kubectl(["-n", rig.namespace, "create", "token", "weak"])).trim()
    const path = await kubeconfig("weak", tokenOnly(token))
    const error = await failure(rig.deploy(two, { input: as(path) }))
    expect(error).toMatchObject({ code: "K8S-FORBIDDEN", kind: "errored" })
    expect(error.message).toMatch(new RegExp(`may not patch \\S+ in namespace ${rig.namespace}`))
    expect(await version()).toBe("v1")
  })
})

describe("what the cluster refuses in the middle", () => {
  it("a quota that does not suffice: at once, with the numbers, and the release before serves", async () => {
    const quota = { apiVersion: "v1", kind: "ResourceQuota", metadata: { name: "tight", namespace: rig.namespace } }
    await apply({ ...quota, spec: { hard: { pods: "2" } } })
    try {
      const started = performance.now()
      const error = await failure(rig.deploy(two))
      expect(error).toMatchObject({ code: "K8S-QUOTA", kind: "errored" })
      expect(error.reason).toMatch(/exceeded quota: tight[^]*serves again/)
      expect((performance.now() - started) / 1000).toBeLessThan(60)
      expect(await version()).toBe("v1")
    } finally {
      await rig.lab.kubectl(["-n", rig.namespace, "delete", "resourcequota", "tight"])
    }
  })

  it("an admission policy that rejects: its words, and nothing half done", async () => {
    const name = `no-v2-${rig.namespace}`
    const api = { apiVersion: "admissionregistration.k8s.io/v1" }
    await apply({
      ...api,
      kind: "ValidatingAdmissionPolicy",
      metadata: { name },
      spec: {
        failurePolicy: "Fail",
        matchConstraints: {
          resourceRules: [
            { apiGroups: ["apps"], apiVersions: ["v1"], operations: ["CREATE", "UPDATE"], resources: ["deployments"] },
          ],
        },
        validations: [
          {
            expression:
              "!object.spec.template.spec.containers[0].env.exists(e, e.name == 'VERSION' && e.value == 'v2')",
            message: "no v2 on a Friday",
          },
        ],
      },
    })
    const match = { namespaceSelector: { matchLabels: { "kubernetes.io/metadata.name": rig.namespace } } }
    await apply({
      ...api,
      kind: "ValidatingAdmissionPolicyBinding",
      metadata: { name },
      spec: { policyName: name, validationActions: ["Deny"], matchResources: match },
    })
    try {
      // The API server takes a moment to learn a policy.
      const deployment = ["-n", rig.namespace, "set", "env", "deployment/web-blue", "VERSION=v2", "--dry-run=server"]
      await until(
        async () =>
          (await rig.lab.kubectl(deployment).catch((e: unknown) => String((e as Fault).reason))).includes("Friday"),
        30,
      )
      const error = await failure(rig.deploy(two))
      expect(error).toMatchObject({ code: "K8S-DENIED", kind: "failed" })
      expect(error.reason).toMatch(/no v2 on a Friday/)
      expect(await version()).toBe("v1")
    } finally {
      await rig.lab.kubectl(["delete", "validatingadmissionpolicybinding", name])
      await rig.lab.kubectl(["delete", "validatingadmissionpolicy", name])
    }
  })

  describe("an admission webhook", () => {
    let hook: Webhook
    const trial = () =>
      rig.lab
        .kubectl(["-n", rig.namespace, "set", "env", "deployment/web-blue", "VERSION=v2", "--dry-run=server"])
        .catch((e: unknown) => String((e as Fault).reason))
    /** It is at work once the API server, which takes a moment to learn of it, says its name. */
    const open = async (name: string, say: Say) => {
      hook = await webhook(rig, name, say)
      await until(async () => (await trial()).includes(hook.name), 30)
    }
    afterEach(() => hook.remove())
    const isTwo = (object: unknown) => JSON.stringify(object).includes('"name":"VERSION","value":"v2"')
    const shown = async () => (await describeEnvironment(rig.project, "test", ["web"])).services[0]
    const asBefore = async () => {
      expect(await version()).toBe("v1")
      hook.say = () => undefined
      const web = await shown()
      expect(web).toMatchObject({ state: "running", replicas: { wanted: 2, ready: 2 }, drift: [], rollout: undefined })
      expect(web?.instances.map((i) => i.digest)).toEqual([one.digest, one.digest])
    }

    // It chooses the status itself; 503 of anybody else means "later".
    it.each([403, 503])("that rejects with %i: which one, its words, at once, and nothing half done", async (code) => {
      await open(`board-${code}`, (object) => (isTwo(object) ? { code, message: "the board has not met" } : undefined))
      const started = performance.now()
      const error = await failure(rig.deploy(two))
      expect(error).toMatchObject({ code: "K8S-DENIED", kind: "failed" })
      expect(error.message).toBe(
        `The admission webhook ${hook.name} does not let deployments.apps web-blue in namespace ${rig.namespace} be made`,
      )
      expect(error.reason).toMatch(/the board has not met[^]*serves again/)
      // Nor is it waited for, as one is that does not answer: a minute.
      expect((performance.now() - started) / 1000).toBeLessThan(60)
      await asBefore()
    })

    it("that rejects whatever comes: the way back changes nothing either, and what ran runs", async () => {
      await open("freeze", () => ({ code: 403, message: "it is Friday" }))
      const error = await failure(rig.deploy(two))
      expect(error).toMatchObject({ code: "K8S-DENIED", kind: "failed" })
      expect(error.reason).toMatch(/it is Friday[^]*serves again/)
      await asBefore()
    })

    it("that does not answer: waited for, then it is infrastructure, and nothing half done", async () => {
      rig.lines.length = 0
      await open("asleep", () => "silence")
      const error = await failure(rig.deploy(two))
      expect(error).toMatchObject({ code: "K8S-WEBHOOK", kind: "errored" })
      expect(error.message).toBe(
        `The admission webhook ${hook.name} cannot be asked about deployments.apps web-blue in namespace ${rig.namespace}`,
      )
      expect(error.reason).toMatch(/context deadline exceeded[^]*serves again/)
      expect(rig.lines.join("\n")).toContain(`the admission webhook ${hook.name} does not answer`)
      // Whoever looks is told what runs all the same, and what could not be compared.
      const web = await shown()
      expect(web).toMatchObject({ state: "running", replicas: { ready: 2 } })
      expect(web?.drift).toMatchObject([{ what: "Deployment web-blue", field: "apply", expected: "accepted" }])
      expect(web?.drift[0]?.found).toContain("failed calling webhook")
      await asBefore()
    })

    it("that answers again meanwhile: the deployment goes on", async () => {
      rig.lines.length = 0
      await open("awake", () => "silence")
      const rollout = rig.deploy(two)
      await until(() => rig.lines.includes(`web-blue rolls over, 1 more and 0 fewer at a time`), 60)
      await until(() => rig.lines.some((line) => line.includes(`${hook.name} does not answer`)), 60)
      hook.say = () => undefined
      expect((await rollout).unchanged).toBe(false)
      expect(rig.lines).toContain(`the admission webhook ${hook.name} answers again`)
      await rig.deploy(one)
      await expect.poll(version, { timeout: 30_000 }).toBe("v1")
    })
  })

  it("a pod that no node has room for", async () => {
    const big = { requests: { cpu: "64", memory: "48Mi" }, limits: { cpu: "64", memory: "256Mi" } }
    const { configHash: _, ...fields } = two
    const error = await failure(rig.deploy(releaseSpec({ ...fields, pods: { resources: big } })))
    expect(error).toMatchObject({ code: "DEPLOY-CANNOT-RUN", kind: "errored" })
    expect(error.reason).toMatch(/Insufficient cpu/)
  })

  it("a field that somebody else has set is not overwritten: who, and which", async () => {
    const patch = JSON.stringify({
      apiVersion: "apps/v1",
      kind: "Deployment",
      metadata: { name: "web-blue" },
      spec: { replicas: 5 },
    })
    const server = ["apply", "--server-side", "--field-manager=somebody", "--force-conflicts", "-f", "-"]
    await rig.lab.kubectl(["-n", rig.namespace, ...server], { input: patch })
    const error = await failure(rig.deploy(two))
    expect(error).toMatchObject({ code: "K8S-CONFLICT", kind: "errored" })
    expect(error.reason).toMatch(/\.spec\.replicas: set by somebody/)
    expect(await version()).toBe("v1")
    await rig.lab.kubectl(["-n", rig.namespace, "delete", "deployment", "web-blue"])
    await rig.deploy(one)
    expect(await version()).toBe("v1") // As soon as the deployment is over.
  })
})

describe("a namespace", () => {
  it("that is not there is not made", async () => {
    const error = await failure(rig.deploy(two, { input: { ...input, kubernetes: { namespace: "nowhere" } } }))
    expect(error).toMatchObject({ code: "K8S-NAMESPACE", kind: "errored" })
    expect(error.hint).toContain("gantry env rbac")
  })
  it("that is being deleted is said to be", async () => {
    const going = `${rig.namespace}-going`
    await rig.lab.kubectl(["create", "namespace", going])
    const held = { name: "holds", namespace: going, finalizers: ["gantry.dev/test"] }
    await apply({ apiVersion: "v1", kind: "ConfigMap", metadata: held })
    await rig.lab.kubectl(["delete", "namespace", going, "--wait=false"])
    try {
      const error = await failure(rig.deploy(two, { input: { ...input, kubernetes: { namespace: going } } }))
      expect(error).toMatchObject({ code: "K8S-NAMESPACE-TERMINATING", kind: "errored" })
    } finally {
      const free = [
        "-n",
        going,
        "patch",
        "configmap",
        "holds",
        "--type=merge",
        "-p",
        '{"metadata":{"finalizers":null}}',
      ]
      await rig.lab.kubectl(free)
    }
  })
})
