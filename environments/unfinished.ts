import { engineContext } from "../engine/context.js"
import { listInstances } from "./docker/instances.js"
import { readHistory } from "./history.js"
import { notesOf } from "./notes.js"
import { placeOf, type Project } from "./places.js"
import { releaseKey } from "./release.js"
import { readRollout } from "./strategies/state.js"

/**
 * Key of a release that is on its way to an environment and has not run whole there: of a rollout that goes on or pauses,
 * or of instances that a rolling deployment has begun with. Undefined when there is none, or no Docker Engine to ask.
 */
export async function unfinishedRelease(
  project: Pick<Project, "project" | "engine">,
  environment: string,
  service: string,
): Promise<string | undefined> {
  const rollout = await readRollout(notesOf(project, environment, service))
  if (rollout !== undefined) return releaseKey(rollout.to)
  const place = placeOf(project, environment)
  const known = new Set((await readHistory(place, service)).map((e) => releaseKey(e.release)))
  const instances = await listInstances({ engine: engineContext(project.engine), place }, service).catch(() => [])
  return instances.find((i) => i.running && !known.has(i.key))?.key
}
