import { kubeCluster, type Cluster, type KubeObject } from "../../clients/kubernetes/index.js"
import { isFault, type Fault } from "../../core/errors.js"
import type { ContextOptions } from "../../engine/context.js"
import type { Environment } from "../environment.js"
import type { View, ViewProject } from "../views/view.js"
import { removeDependencies } from "./dependencies/remove.js"
import { dependencyStates } from "./dependencies/view.js"
import { departures } from "./departures.js"
import { clusterDetail } from "./detail.js"
import { serviceDrift } from "./drift.js"
import { exposedOf } from "./exposed.js"
import type { Exposed } from "./exposure.js"
import { instancesOf, runningInstance } from "./instances.js"
import { conditionOf, isTrue, type Job } from "./kinds.js"
import { clusterMemory } from "./memory.js"
import { isOwn, ownDetail, ownDrift, ownRunning, removeAllOwn } from "./own/view.js"
import { dependenciesName, namespaceOf } from "./names.js"
import { renderTools } from "./render.js"
import { removeEnvironment } from "./remove.js"
import { isTheirs } from "./number.js"
import type { Scene } from "./scene.js"
import { readPods, readTracks } from "./tracks.js"

/** Whoever only looks is told soon that nobody answers. Seconds. */
const patienceSeconds = 5

/** An environment in a namespace of a cluster. Everything about it is there: without the cluster nothing is known. */
export function kubernetesView(project: ViewProject, environment: Environment, options: ContextOptions): View {
  const namespace = namespaceOf(project.project, environment)
  const { kubeconfig, context } = environment.kubernetes
  const { signal } = options
  let made: Cluster | undefined
  const clusterNow = (): Cluster => (made ??= kubeCluster({ kubeconfig, context, signal, patienceSeconds }))
  // A kubeconfig that cannot be read is told as trouble, not thrown when the view is made.
  const cluster = lazily(clusterNow)
  const tools = renderTools(project.engine, options)
  const scenes = new Map<string, Scene>()
  const sceneOf = (service: string): Scene => {
    let exposed: Promise<Exposed> | undefined
    const known = scenes.get(service)
    if (known !== undefined) return known
    const scene: Scene = {
      cluster: clusterNow(),
      namespace,
      project: project.project,
      environment,
      service,
      callers: (project.services ?? []).filter((s) => s.calls?.includes(service) === true).map((s) => s.name),
      tools,
      rendered: new Map(),
      departures: departures(clusterNow(), namespace),
      image: () => databaseImageThere(clusterNow(), namespace, service),
      exposed: () => (exposed ??= exposedOf({ cluster: clusterNow(), namespace, environment, service })),
      tell: () => undefined,
    }
    scenes.set(service, scene)
    return scene
  }

  const memory = (service: string) =>
    clusterMemory({ cluster, namespace, project: project.project, environment: environment.name, service })

  let trouble: Promise<Fault | undefined> | undefined
  return {
    remembersAlone: false,
    memory,
    trouble: () => (trouble ??= troubleOf(clusterNow, namespace)),

    async running(service) {
      const scene = sceneOf(service)
      if (isOwn(scene)) return ownRunning(scene, memory(service).notes)
      const [pods, tracks, exposed] = await Promise.all([readPods(scene), readTracks(scene), scene.exposed()])
      const { live } = await exposed.urls()
      const { deployments, traffic } = tracks
      return {
        url: live,
        wanted: isTheirs(scene, deployments[traffic.active]) ? deployments[traffic.active]?.spec.replicas : undefined,
        instances: instancesOf(pods, traffic, Date.now()).map(runningInstance),
      }
    },

    cluster: (service) => (isOwn(sceneOf(service)) ? ownDetail : clusterDetail)(sceneOf(service)),
    drift: (service, question) => (isOwn(sceneOf(service)) ? ownDrift : serviceDrift)(sceneOf(service), question),
    ownDrift: () => Promise.resolve([]),
    dependencies: () =>
      dependencyStates({
        cluster: clusterNow(),
        namespace,
        notes: memory(dependenciesName).notes,
        declared: environment.kubernetes.dependencies,
      }),

    async leftTask(service, task) {
      const name = `${service}-${task}`
      const job = await cluster.read<Job>({ apiVersion: "batch/v1", kind: "Job", namespace, name })
      if (job === undefined) return undefined
      const conditions = job.status?.conditions
      const over = isTrue(conditions, "Complete") || conditionOf(conditions, "Failed")?.status === "True"
      return { name: `Job ${name} in ${namespace}`, running: !over && job.spec.suspend !== true }
    },

    async remove({ data }) {
      // Who has begun to remove waits for a cluster that is busy: half an environment is worse than none.
      const patient = kubeCluster({ kubeconfig, context, signal })
      const place = { namespace, project: project.project, environment: environment.name }
      const notesOf = (service: string) => clusterMemory({ ...place, cluster: patient, service }).notes
      for (const { name } of project.services ?? []) {
        await removeAllOwn({ ...sceneOf(name), cluster: patient }, notesOf(name), data)
      }
      await removeDependencies({ cluster: patient, namespace, notes: notesOf(dependenciesName), data })
      await removeEnvironment(patient, { ...place, data })
    },
  }
}

/** Whether the cluster answers, knows who asks, and lets him look. */
async function troubleOf(cluster: () => Cluster, namespace: string): Promise<Fault | undefined> {
  try {
    // Without a namespace nothing was ever deployed: that is no trouble.
    await cluster().read({ apiVersion: "v1", kind: "Namespace", name: namespace })
    return undefined
  } catch (error) {
    if (isFault(error) && error.kind !== "cancelled") return error
    throw error
  }
}

/** The calls that memory and tasks need, of a cluster that is found out about when it is first asked. */
function lazily(get: () => Cluster): Pick<Cluster, "read" | "create" | "replace" | "remove"> {
  const then = <T>(work: (cluster: Cluster) => Promise<T>): Promise<T> => Promise.resolve().then(() => work(get()))
  return {
    read: (ref) => then((c) => c.read(ref)),
    create: (object) => then((c) => c.create(object)),
    replace: (object) => then((c) => c.replace(object)),
    remove: (ref, how) => then((c) => c.remove(ref, how)),
  }
}

/** The image of the service's database as it runs: whoever looks makes none, and fetches none. */
async function databaseImageThere(cluster: Cluster, namespace: string, service: string): Promise<string> {
  interface StatefulSet extends KubeObject {
    readonly spec?: { readonly template?: { readonly spec?: { readonly containers?: readonly { image?: string }[] } } }
  }
  const ref = { apiVersion: "apps/v1", kind: "StatefulSet", namespace, name: `${service}-db` }
  const image = (await cluster.read<StatefulSet>(ref))?.spec?.template?.spec?.containers?.[0]?.image
  // It is gone, which is told as such; what it would be made of is of no interest then.
  return image?.includes("@") === true ? image : `gone/database@sha256:${"0".repeat(64)}`
}
