import { kubeCluster } from "../../../clients/kubernetes/index.js"
import { repositoryClient } from "../../../clients/registry/index.js"
import type { Credentials } from "../../../net/registry/auth.js"
import { isLoopback } from "../../../net/registry/protocol.js"
import type { EngineContext } from "../../../engine/context.js"
import { hostCa } from "../../../engine/index.js"
import type { Environment } from "../../environment.js"
import { checkNamespace } from "../apply.js"
import { clusterMemory } from "../memory.js"
import { dependenciesName, namespaceOf } from "../names.js"
import { renderTools, type RenderTools } from "../render.js"
import type { KubernetesObject } from "../object.js"
import { bringAll, type Brought } from "./bring.js"
import type { Bringing, Wanted } from "./plan.js"
import { chartPuller } from "./pull.js"
import { renderDependency } from "./render.js"

/** What it takes to render an environment's dependencies. */
export interface RenderOrder {
  readonly engine: EngineContext
  readonly project: string
  readonly environment: Environment
  /** Absolute: the project's folder in the tree that is delivered. */
  readonly root: string
  /** Of a registry, by its host. Default: none. */
  login?(host: string): Credentials | undefined
  readonly tools?: RenderTools | undefined
  readonly signal?: AbortSignal | undefined
  tell?(line: string): void
}

/** An environment's dependencies are to be as a commit declares them. */
export interface DependenciesOrder extends RenderOrder {
  readonly commit: string
  readonly signal: AbortSignal
  tell(line: string): void
  keepLog(name: string, text: string): Promise<void>
}

/** @throws K8S-…, DEPENDENCY-…, OWN-…, CHART-RENDER, KUBERNETES-YAML, and those of a registry */
export async function bringOnCluster(order: DependenciesOrder): Promise<readonly Brought[]> {
  const { project, environment, commit, signal, tell, keepLog } = order
  const { kubeconfig, context, services } = environment.kubernetes
  const cluster = kubeCluster({ kubeconfig, context, signal, tell })
  const namespace = namespaceOf(project, environment)
  await checkNamespace({ cluster, namespace, environment })
  // Without the signal: who is interrupted lets the lock go all the same.
  const notes = kubeCluster({ kubeconfig, context, patienceSeconds: 20 })
  const bringing: Bringing = {
    cluster,
    namespace,
    project,
    environment: environment.name,
    own: Object.entries(services).flatMap(([name, { own }]) => (own === undefined ? [] : [name])),
    memory: clusterMemory({
      cluster: notes,
      namespace,
      project,
      environment: environment.name,
      service: dependenciesName,
    }),
    commit,
    signal,
    tell,
    keepLog,
  }
  return bringAll(bringing, await renderAll(order))
}

/** The objects of all that an environment declares, as they are rendered. @throws as `bringOnCluster`; asks no cluster */
export async function renderDependencies(order: RenderOrder): Promise<readonly KubernetesObject[]> {
  return (await renderAll(order)).flatMap(({ rendered }) => rendered.first)
}

async function renderAll(order: RenderOrder): Promise<readonly Wanted[]> {
  const { engine, project, environment, root, signal } = order
  const namespace = namespaceOf(project, environment)
  const tools = order.tools ?? renderTools(engine.config, { progress: engine.progress, signal })
  const pull = chartPuller(
    (chart) => {
      const [host = ""] = chart.split("/")
      const url = `${isLoopback(new URL(`http://${host}`).hostname) ? "http" : "https"}://${host}`
      const options = { url, credentials: order.login?.(host), signal, policy: { ca: hostCa(engine.config) } }
      return repositoryClient(options, chart.slice(host.length + 1))
    },
    (line) => order.tell?.(line),
  )
  const wanted: Wanted[] = []
  for (const [name, dependency] of Object.entries(environment.kubernetes.dependencies)) {
    const rendered = await renderDependency(tools, { name, dependency, root, pull }, { namespace })
    wanted.push({ name, dependency, rendered })
  }
  return wanted
}
