import type { ContextOptions } from "../../engine/context.js"
import { dockerView } from "../docker/view.js"
import type { View, ViewProject } from "../views/view.js"

/** The view of an environment, by its `target`. Nothing is asked yet. */
export async function viewOf(project: ViewProject, name: string, options: ContextOptions = {}): Promise<View> {
  const environment = Object.hasOwn(project.environments, name) ? project.environments[name] : undefined
  if (environment?.target !== "kubernetes") return dockerView(project, name, options)
  // Large, and of no use to whoever has no cluster.
  const { kubernetesView } = await import("../kubernetes/view.js")
  return kubernetesView(project, environment, options)
}
