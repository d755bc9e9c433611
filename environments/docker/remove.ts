import { rm } from "node:fs/promises"
import { removeContainer } from "../../engine/docker/run.js"
import type { EngineContext } from "../../engine/context.js"
import type { Place } from "../places.js"
import { labelFilter } from "./labels.js"
import { removeNetwork } from "./network.js"
import { unlessMissing } from "./scene.js"

/** Removes all of an environment: instances, balancer, network and, with `data`, the databases' volumes and the state. */
export async function removeEnvironment(
  engine: EngineContext,
  place: Place,
  options: { readonly data: boolean },
): Promise<void> {
  const filters = labelFilter({ environment: place.prefix })
  const containers = await engine.docker.listContainers({ all: true, filters })
  await Promise.all(containers.map(({ Id }) => removeContainer(engine.docker, Id)))
  await removeNetwork({ engine, place })
  if (!options.data) return
  const { Volumes } = await engine.docker.listVolumes({ filters })
  for (const { Name } of Volumes) await unlessMissing(engine.docker.getVolume(Name).remove())
  await rm(place.folder, { recursive: true, force: true })
}
