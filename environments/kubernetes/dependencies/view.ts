import type { Cluster } from "../../../clients/kubernetes/index.js"
import type { Notes } from "../../memory.js"
import type { DependencyState } from "../../views/view.js"
import { objectDrift } from "../drift-object.js"
import { keptObjects } from "./keep.js"
import { readEntries } from "./note.js"
import type { Dependency } from "./settings.js"
import { isJob } from "../own/marks.js"
import { troubleOf } from "../trouble.js"
import { lookAt, type Seen } from "./snapshot.js"
import { statusText } from "./status.js"

export interface DependencyPlace {
  readonly cluster: Pick<Cluster, "read" | "list" | "apply">
  readonly namespace: string
  readonly notes: Notes
  /** As the configuration declares them now. */
  readonly declared: Readonly<Record<string, Dependency>>
}

/** What is there of an environment's dependencies, and what somebody changed by hand. Changes nothing. */
export async function dependencyStates(place: DependencyPlace): Promise<readonly DependencyState[]> {
  const { notes, declared } = place
  const entries = await readEntries(notes)
  const missing = Object.keys(declared).filter((name) => !entries.some((e) => e.name === name))
  const there = await Promise.all(
    entries.map(async ({ name, kind, hash, commit, at, status }): Promise<DependencyState> => {
      const objects = await keptObjects(place, name)
      const seen = await lookAt(place, objects, declared[name]?.ready ?? [])
      const behind = seen.filter(({ progress }) => !progress.done)
      const lasting = objects.filter((object) => !isJob(object))
      const drift = (await Promise.all(lasting.map((object) => objectDrift(place.cluster, object)))).flat()
      const ready = status === "ready" && behind.length === 0
      return {
        name,
        kind,
        state: ready ? "ready" : status === "started" ? "started" : "degraded",
        declared: declared[name] !== undefined,
        hash,
        commit,
        at,
        trouble: behind.flatMap((s) => [statusText(s.object, s.progress), ...troublesOf(s)]),
        drift,
      }
    }),
  )
  return [
    ...there,
    ...missing.map((name): DependencyState => ({
      name,
      kind: declared[name]?.kind ?? "",
      state: "missing",
      declared: true,
      trouble: [],
      drift: [],
    })),
  ]
}

/** The cluster's words about pods that cannot run. */
const troublesOf = ({ pods }: Seen) =>
  pods.flatMap((pod) => {
    const trouble = troubleOf(pod, Date.now())
    return trouble === undefined ? [] : [`Pod ${pod.metadata.name}: ${trouble.text}`]
  })
