import { engineContext, type ContextOptions } from "../../engine/context.js"
import type { Project } from "../places.js"

/**
 * Whether the place where an environment's releases run has an image itself, whatever the registry has: the local Docker Engine
 * may. What the nodes of a cluster have in store is no promise: another node may be the one that is asked.
 */
export async function hasImageItself(
  project: Pick<Project, "engine" | "environments">,
  environmentName: string,
  reference: string,
  options: ContextOptions = {},
): Promise<boolean> {
  if (project.environments[environmentName]?.target !== "docker") return false
  const { docker } = engineContext(project.engine, options)
  return docker
    .getImage(reference)
    .inspect()
    .then(
      () => true,
      () => false,
    )
}
