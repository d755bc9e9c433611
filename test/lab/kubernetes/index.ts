import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { parse, stringify } from "yaml"
import { isFault } from "../../../core/errors.js"
import { withLock } from "../../../core/lock.js"
import type { Progress } from "../../../core/progress.js"
import { engineConfig, type EngineConfig } from "../../../engine/config.js"
import { engineContext, type EngineContext } from "../../../engine/context.js"
import { ensureDocker } from "../../../engine/docker/ensure.js"
import { readJson, writeAtomic } from "../../../engine/files.js"
import { ensureComponents } from "../../../engine/stack/ensure.js"
import { execIn } from "../../../engine/stack/exec.js"
import { createNode, findNode, nodeLog, removeNode, startFault, type FoundNode } from "./container.js"
import { applyContent } from "./content.js"
import { gatewayClass, gatewayNamespace, ingressClass } from "./gateway.js"
import { importImage } from "./import.js"
import { kubectlOf, type Kubectl } from "./kubectl.js"
import { portsOf, type PortRange } from "./ports.js"
import { routeRegistry, webImage } from "./registry.js"
import { gatewayDefinitions, kubernetesPrograms, makeNode, specHash } from "./spec.js"
import type { WebVersion } from "./builds.js"

export { webVersions, type WebVersion } from "./builds.js"
export type { Kubectl, KubectlOptions } from "./kubectl.js"
export type { PortRange } from "./ports.js"

export interface LabOptions {
  /** Labs of other names stand beside it. Default $GANTRY_LAB, else "kubernetes". */
  readonly name?: string
  readonly config?: EngineConfig
  readonly progress?: Progress | undefined
  readonly signal?: AbortSignal | undefined
}

/** A Kubernetes cluster to test on. All of it is reached from the host on 127.0.0.1. */
export interface Lab {
  /** Path of the admin's kubeconfig, for its owner alone. */
  readonly kubeconfig: string
  /** The context in it. */
  readonly context: string
  /** Of the container, and of the node. */
  readonly name: string
  /** Ports on 127.0.0.1 that are NodePorts of the same number. */
  readonly nodePorts: PortRange
  /** The Gateway API: a class, and the ports that a listener of a Gateway may have, each the same on 127.0.0.1. */
  readonly gateway: {
    readonly class: string
    /** Where its controller runs: what a NetworkPolicy has to let in. */
    readonly namespace: string
    readonly ports: PortRange
    /** Traefik's metrics as Prometheus reads them. */
    readonly metrics: string
  }
  /** Ingresses as ingress-nginx has them, with its canary annotations: a class and the port on 127.0.0.1. */
  readonly ingress: { readonly class: string; readonly port: number }
  /** kubectl as the cluster's admin, on the host. Errors: LAB-KUBECTL. */
  readonly kubectl: Kubectl
  /** Runs a command in the node: exit code and output. */
  exec(command: readonly string[]): Promise<{ readonly exitCode: number; readonly output: string }>
  /** The test service, in the stack's registry, by digest. */
  webImage(version: WebVersion): Promise<string>
  /** Gives the node an image of the host's Docker Engine, under `name`, as if it had been pulled. */
  importImage(image: string, name?: string): Promise<void>
  /** Takes the API server away, with everything else running on, and brings it back. */
  stopApi(): Promise<void>
  startApi(): Promise<void>
  /** Removes the cluster with all that is in it. */
  down(): Promise<void>
}

/** kubectl on the host for a cluster that it neither starts nor repairs. Errors: LAB-KUBECTL. */
export const kubectlFor = async (kubeconfig: string, options: LabOptions = {}): Promise<Kubectl> =>
  kubectlAt(contextOf(options), kubeconfig)

const kubectlAt = async (context: EngineContext, kubeconfig: string): Promise<Kubectl> =>
  kubectlOf(join(await kubernetesPrograms(context), "kubectl"), kubeconfig)

const nameOf = (options: LabOptions): string => options.name ?? (process.env["GANTRY_LAB"] || "kubernetes")
const containerName = (context: EngineContext, name: string): string => `${context.config.stack}-lab-${name}`
const stateFolder = (context: EngineContext, name: string): string =>
  join(context.home, "stack", context.config.stack, `lab-${name}`)

function contextOf(options: LabOptions): EngineContext {
  return engineContext(options.config ?? engineConfig.parse({}), {
    progress: options.progress,
    signal: options.signal,
  })
}

/**
 * Makes sure that the cluster is up and answers it: one that runs and is made of the same is used again, else it is made
 * (etcd is on a tmpfs: one that was stopped has lost its state). One process makes it at a time.
 * Errors: those of Docker and of the supply, LAB-START, LAB-PORTS, LAB-REGISTRY, LAB-KUBECTL.
 */
export async function ensureLab(options: LabOptions = {}): Promise<Lab> {
  const context = contextOf(options)
  const name = nameOf(options)
  await ensureDocker(context)
  const [spec] = await Promise.all([specHash(context), ensureComponents(context, ["registry"])])
  return (
    (await current(context, name, spec)) ??
    withLock(
      join(context.home, "locks", `lab-${containerName(context, name)}.lock`),
      `starting the Kubernetes lab ${name}`,
      async () => (await current(context, name, spec)) ?? create(context, name, spec),
      { signal: context.signal },
    )
  )
}

/** The lab if it runs, is what is wanted, was finished, and its API server answers. */
async function current(context: EngineContext, name: string, spec: string): Promise<Lab | undefined> {
  const container = containerName(context, name)
  const found = await findNode(context, container)
  if (found === undefined || !found.up || found.spec !== spec) return undefined
  const state = (await readJson(join(stateFolder(context, name), "lab.json"))) as { id?: string } | undefined
  if (state?.id !== found.id) return undefined
  await routeRegistry(context, container)
  const lab = await labOf(context, name, found)
  try {
    await lab.startApi()
    return lab
  } catch (error) {
    // It runs and does not answer: a new one gets its chance.
    if (isFault(error) && error.code === "LAB-START") return undefined
    throw error
  }
}

async function create(context: EngineContext, name: string, spec: string): Promise<Lab> {
  const container = containerName(context, name)
  const node = await makeNode(context, container, spec)
  const task = context.progress.task(`Starting the Kubernetes lab ${name}`, { expectedSeconds: 20 })
  try {
    await removeNode(context, container)
    await createNode(context, node)
    task.update("the control plane starts")
    const found = await ready(context, container)
    await writeKubeconfig(context, name, found)
    await routeRegistry(context, container)
    const lab = await labOf(context, name, found)
    const definitions = await gatewayDefinitions(context)
    await applyContent(lab.kubectl, portsOf(found.first), definitions, (text) => task.update(text))
    await writeAtomic(join(stateFolder(context, name), "lab.json"), `${JSON.stringify({ id: found.id })}\n`)
    task.done(`KUBECONFIG=${lab.kubeconfig}`)
    return lab
  } catch (error) {
    task.fail(error)
    throw error
  }
}

const startSeconds = 180

async function ready(context: EngineContext, container: string): Promise<FoundNode> {
  const deadline = Date.now() + startSeconds * 1000
  for (;;) {
    const found = await findNode(context, container)
    if (found === undefined || !found.up)
      throw startFault(container, `its container is ${found?.state ?? "gone"}\n${await nodeLog(context, container)}`)
    const { exitCode } = await execIn(context.docker, container, ["test", "-e", "/run/lab/ready"])
    if (exitCode === 0) return found
    if (Date.now() > deadline)
      throw startFault(container, `not ready after ${startSeconds} s\n${await nodeLog(context, container)}`)
    await sleep(250, undefined, context.signal === undefined ? {} : { signal: context.signal })
  }
}

/** The node's own kubeconfig says its loopback and port; on the host it is another port. */
async function writeKubeconfig(context: EngineContext, name: string, found: FoundNode): Promise<void> {
  const { output } = await execIn(context.docker, found.id, ["cat", "/etc/kubernetes/admin.conf"])
  const config = parse(output) as { clusters: { cluster: { server: string } }[] }
  for (const { cluster } of config.clusters) cluster.server = `https://127.0.0.1:${portsOf(found.first).api}`
  await writeAtomic(join(stateFolder(context, name), "kubeconfig"), stringify(config), 0o600)
}

async function labOf(context: EngineContext, name: string, found: FoundNode): Promise<Lab> {
  const container = containerName(context, name)
  const kubeconfig = join(stateFolder(context, name), "kubeconfig")
  const kubectl = await kubectlAt(context, kubeconfig)
  const { "current-context": current } = parse(await readFile(kubeconfig, "utf8")) as { "current-context": string }
  const exec = (command: readonly string[]) => execIn(context.docker, container, command)
  const api = (verb: string) => exec(["/usr/local/lib/lab/api.sh", verb])
  const ports = portsOf(found.first)
  return {
    kubeconfig,
    context: current,
    name: container,
    nodePorts: ports.nodePorts,
    gateway: {
      class: gatewayClass,
      namespace: gatewayNamespace,
      ports: ports.gateway,
      metrics: `http://127.0.0.1:${ports.gatewayMetrics}/metrics`,
    },
    ingress: { class: ingressClass, port: ports.ingress },
    kubectl,
    exec,
    webImage: (version) => webImage(context, version),
    importImage: (image, as) => importImage(context, container, image, as),
    stopApi: async () => {
      await api("stop")
    },
    startApi: async () => {
      const wasStopped = (await api("start")).output.includes("was stopped")
      await answers(context, kubectl, container)
      if (wasStopped) await api("followers")
    },
    down: () => labDown({ name, config: context.config, signal: context.signal }),
  }
}

/** How long its API server may take to start beside other work. Who takes it for dead too early removes it from under others' tests. */
const answerSeconds = 120

async function answers(context: EngineContext, kubectl: Kubectl, container: string): Promise<void> {
  const deadline = Date.now() + answerSeconds * 1000
  for (;;) {
    const problem = await kubectl(["get", "--raw=/readyz", "--request-timeout=5s"]).then(
      () => undefined,
      (error: unknown) => error,
    )
    if (problem === undefined) return
    context.signal?.throwIfAborted()
    if (Date.now() > deadline) throw startFault(container, String(problem))
    await sleep(100)
  }
}

/** Makes what a lab consists of, which takes a quarter of an hour where nothing is there yet, and starts nothing. */
export async function labPrepare(options: LabOptions = {}): Promise<void> {
  const context = contextOf(options)
  await ensureDocker(context)
  await ensureComponents(context, ["registry"])
  await makeNode(context, containerName(context, nameOf(options)), await specHash(context))
}

/** Removes a lab; that there is none is fine. */
export async function labDown(options: LabOptions = {}): Promise<void> {
  const context = contextOf(options)
  const container = containerName(context, nameOf(options))
  if ((await findNode(context, container)) !== undefined) await removeNode(context, container)
}

/** A lab as it is, for people. Starts nothing. */
export async function labStatus(options: LabOptions = {}): Promise<Record<string, unknown>> {
  const context = contextOf(options)
  const name = nameOf(options)
  const container = containerName(context, name)
  const found = await findNode(context, container)
  if (found === undefined) return { name: container, state: "missing" }
  if (!found.up) return { name: container, state: found.state }
  const lab = await labOf(context, name, found)
  const versions = await lab
    .kubectl(["version", "--request-timeout=5s"])
    .then((text) => /Server Version: (\S+)/.exec(text)?.[1])
    .catch((error: unknown) => String(error))
  return {
    name: container,
    state: "running",
    current: found.spec === (await specHash(context)),
    kubernetes: versions,
    kubeconfig: lab.kubeconfig,
    context: lab.context,
    ports: portsOf(found.first),
  }
}
