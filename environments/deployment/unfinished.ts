import { readHistory } from "../history.js"
import type { Project } from "../places.js"
import { releaseKey } from "../release.js"
import { readRollout } from "../strategies/state.js"
import { viewOf } from "../targets/view-of.js"

/**
 * Key of a release that is on its way to an environment and has not run whole there: of a rollout that goes on or pauses,
 * or of instances that a rolling deployment has begun with. Undefined when there is none, or no Docker Engine to ask.
 * @throws K8S-UNREACHABLE, and what else a cluster says: its memory is there
 */
export async function unfinishedRelease(
  project: Pick<Project, "project" | "engine" | "environments">,
  environment: string,
  service: string,
): Promise<string | undefined> {
  const view = await viewOf(project, environment)
  const { notes } = view.memory(service)
  const rollout = await readRollout(notes)
  if (rollout !== undefined) return releaseKey(rollout.to)
  const known = new Set((await readHistory(notes)).map((e) => releaseKey(e.release)))
  const running = view.running(service)
  const { instances } = view.remembersAlone ? await running.catch(() => ({ instances: [] })) : await running
  return instances.find((i) => i.alive && !known.has(i.key))?.key
}
