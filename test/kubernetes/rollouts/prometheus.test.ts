import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises"
import { randomBytes } from "node:crypto"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { parse, stringify } from "yaml"
import { kubeCluster } from "../../../clients/kubernetes/index.js"
import { engineConfig, registryAddress } from "../../../engine/config.js"
import { engineContext } from "../../../engine/context.js"
import { resolveImage } from "../../../engine/index.js"
import { environment } from "../../../environments/environment.js"
import { applyPrometheus, metricsOf, tryPrometheus } from "../../../environments/kubernetes/metrics.js"
import { accountYaml } from "../../../environments/kubernetes/rbac.js"
import { until } from "../../integration/environments/lab.js"
import { ensureLab, type Lab } from "../../lab/kubernetes/index.js"
import { web } from "../cluster.js"

/** The Prometheus of an environment that an administrator made by `gantry env rbac`: its rights, its quota, its policies. */
const namespace = `m${randomBytes(3).toString("hex")}`
const config = engineConfig.parse({})
const engine = engineContext(config)
const { signal } = new AbortController()
const lines: string[] = []
let lab: Lab
let folder: string

beforeAll(async () => {
  lab = await ensureLab()
  folder = await mkdtemp(join(tmpdir(), "gantry-account-"))
  const account = { project: "shop", environment: "test", profile: "test", namespace, prometheus: "prometheus" }
  await lab.kubectl(["apply", "-f", "-"], { input: accountYaml(account) })
  const kubeconfig = parse(await readFile(lab.kubeconfig, "utf8")) as { users: { user: unknown }[] }
  const token = (await lab.kubectl(["-n", namespace, "create", "token", "gantry"])).trim()
  const users = kubeconfig.users.map((one) => ({ ...one, user: { token } }))
  await writeFile(join(folder, "kubeconfig"), stringify({ ...kubeconfig, users }), { mode: 0o600 })
})
afterAll(async () => {
  await lab.kubectl(["delete", "namespace", namespace, "--wait=false", "--ignore-not-found"])
  await rm(folder, { recursive: true })
})

const scene = (over: { readonly image?: string; readonly namespace?: string } = {}) => ({
  cluster: kubeCluster({ kubeconfig: join(folder, "kubeconfig"), tell: (line) => void lines.push(line) }),
  namespace: over.namespace ?? namespace,
  project: "shop",
  environment: environment("test", { target: "kubernetes", strategy: { kind: "canary" } }),
  image: async (reference: string) => over.image ?? (await resolveImage(config, reference)).reference,
  tell: (line: string) => void lines.push(line),
})
const kubectl = (...args: string[]) => lab.kubectl(["-n", namespace, ...args])
const apply = (...objects: object[]) =>
  lab.kubectl(["-n", namespace, "apply", "-f", "-"], {
    input: JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  })

describe("made with the environment's own account", () => {
  it("answers through the API server, which asks the account for its rights; applied twice it is the same", async () => {
    const source = await metricsOf(scene(), engine, signal)
    expect(await source.query("1 + 1", signal)).toBe(2)
    expect(await source.query('up{job="prometheus"}', signal)).toBe(1)
    const generation = () =>
      kubectl("get", "deployment,service,configmap,networkpolicy,role", "-l", "gantry.dev/part=metrics", "-o", "name")
    const pod = () => kubectl("get", "pods", "-l", "gantry.dev/part=metrics", "-o", "name")
    const [objects, before] = [await generation(), await pod()]
    expect(objects.trim().split("\n")).toHaveLength(5)
    await applyPrometheus(scene())
    expect([await generation(), await pod()]).toEqual([objects, before])
    await expect(source.query("sum(", signal)).rejects.toMatchObject({ code: "METRICS-QUERY" })
  })

  it("lets no pod in but the API server", async () => {
    const source = await metricsOf(scene(), engine, signal)
    const open = { apiVersion: "networking.k8s.io/v1", kind: "NetworkPolicy" }
    await apply(...web("client", await lab.webImage("v1")), {
      ...open,
      metadata: { name: "client-goes-anywhere" },
      spec: { podSelector: { matchLabels: { app: "client" } }, policyTypes: ["Egress"], egress: [{}] },
    })
    await kubectl("rollout", "status", "deployment/client", "--timeout=60s")
    const address = (
      await kubectl("get", "pod", "-l", "gantry.dev/part=metrics", "-o", "jsonpath={.items[0].status.podIP}")
    ).trim()
    const get = () =>
      kubectl("exec", "deployment/client", "--", "/web", "get", `http://${address}:9090/-/ready`).catch(() => "refused")
    expect(await get()).toBe("refused")
    expect(await source.query("2", signal)).toBe(2)
    // That it was the policy: another one lets it in.
    await apply({
      ...open,
      metadata: { name: "prometheus-for-client" },
      spec: {
        podSelector: { matchLabels: { "gantry.dev/part": "metrics" } },
        ingress: [{ from: [{ podSelector: { matchLabels: { app: "client" } } }] }],
      },
    })
    await until(async () => /ready/i.test(await get()), 60)
  })

  it("says what stands in the way: no right there, an image that is not to be had", async () => {
    const other = scene({ namespace: "kube-system" })
    await expect(metricsOf(other, engine, signal)).rejects.toMatchObject({ code: "K8S-FORBIDDEN" })
    lines.splice(0)
    await tryPrometheus(other)
    expect(lines.join("\n")).toMatch(/the Prometheus of test cannot be made: K8S-FORBIDDEN/)

    // With its pods: one that is still going would answer for a moment.
    await kubectl("delete", "deployment", "prometheus", "--ignore-not-found", "--cascade=foreground")
    const missing = scene({ image: `${registryAddress(config)}/nothing/here@sha256:${"0".repeat(64)}` })
    const error: unknown = await metricsOf(missing, engine, signal).catch((e: unknown) => e)
    expect(error).toMatchObject({ code: "METRICS-UNREACHABLE", kind: "errored" })
    expect((error as { reason: string }).reason).toMatch(/ImagePull|not found/)
  })
})
