import type { Cluster } from "../../clients/kubernetes/index.js"
import { fileMemory } from "../docker/memory.js"
import type { Environment } from "../environment.js"
import { clusterMemory } from "../kubernetes/memory.js"
import type { MemoryCluster } from "../kubernetes/memory-place.js"
import { namespaceOf } from "../kubernetes/names.js"
import type { Memory } from "../memory.js"
import { placeOf, serviceFolder, type Project } from "../places.js"

export type MemoryProject = Pick<Project, "project" | "engine" | "environments">

/** The memory of a service in an environment, for those who only look, or leave a word: nothing has to run for it. */
export function memoryOf(project: MemoryProject, environmentName: string, service: string): Memory {
  const environment = Object.hasOwn(project.environments, environmentName)
    ? project.environments[environmentName]
    : undefined
  if (environment?.target !== "kubernetes") return fileMemory(serviceFolder(placeOf(project, environmentName), service))
  return clusterMemory({
    cluster: lazyCluster(environment),
    namespace: namespaceOf(project.project, environment),
    project: project.project,
    environment: environmentName,
    service,
  })
}

/** The client is large: loaded when it is first needed. */
function lazyCluster({ kubernetes }: Environment): MemoryCluster {
  const { kubeconfig, context } = kubernetes
  let cluster: Promise<Cluster> | undefined
  const get = () =>
    (cluster ??= import("../../clients/kubernetes/index.js").then((m) => m.kubeCluster({ kubeconfig, context })))
  return {
    read: async (ref) => (await get()).read(ref),
    create: async (object) => (await get()).create(object),
    replace: async (object) => (await get()).replace(object),
    remove: async (ref, options) => (await get()).remove(ref, options),
  }
}
