import { setTimeout as sleep } from "node:timers/promises"
import { createMasker, type Masker } from "../../core/mask.js"
import { releaseKey } from "../release.js"
import type { Tasks, TaskView } from "../task.js"
import { applyAll } from "./apply.js"
import { databaseSecrets, dataSince } from "./database.js"
import type { Job, Pod } from "./kinds.js"
import { annotations } from "./labels.js"
import { objectsFor, partOf, type Wanted } from "./manifest.js"
import type { Scene } from "./scene.js"
import { endingOf } from "./task-end.js"
import { hadPod, jobRef, untilEnded, untilRemoved } from "./task-wait.js"
import { readTracks, trackFor } from "./tracks.js"

const logLines = 5_000
/** Of what was followed, so much is kept for when its pod is gone. Characters. */
const keptLength = 1_000_000

/** Tasks of a service in a cluster: a Job that stays until what became of it is written down elsewhere. */
export function kubernetesTasks(scene: Scene, pace: Wanted["pace"]): Tasks {
  const { cluster, namespace, service } = scene
  const placeOf = (name: string) => ({ cluster, namespace, job: `${service}-${name}` })
  const refOf = (name: string) => jobRef(placeOf(name))
  const masker = async (): Promise<Masker> => createMasker([...(await databaseSecrets(scene))])

  const awaitTask: Tasks["awaitTask"] = async ({ name, timeoutSeconds }, { signal, output }) => {
    const secrets = await masker()
    const following = new AbortController()
    let followed: Promise<void> | undefined
    const masked = secrets.stream()
    let heard = ""
    const hand = (text: string) => {
      if (text === "") return
      heard = `${heard}${text}`.slice(-keptLength)
      output?.(text)
    }
    const seen = ({ metadata, status }: Pod) => {
      const runs = status?.phase !== undefined && status.phase !== "Pending"
      if (output === undefined || !runs || followed !== undefined) return
      const push = (chunk: Buffer) => {
        hand(masked.push(chunk.toString("utf8")))
      }
      followed = cluster.follow({ namespace, name: metadata.name }, push, AbortSignal.any([signal, following.signal]))
    }
    try {
      const { pod, what } = await untilEnded({ ...placeOf(name), timeoutSeconds, signal, seen })
      await Promise.race([followed, sleep(2_000, undefined, { ref: false })])
      const log = await logOf(pod, "begun" in what)
      // A pod that was ended, or lost, takes its log with it.
      if (log === "") hand(masked.flush())
      return { ...what, log: log === "" ? heard : secrets.text(log) }
    } finally {
      following.abort()
      hand(masked.flush())
    }
  }

  /** @param lost its node may be gone as well, which does not answer then */
  const logOf = async (pod: Pod | undefined, lost: boolean): Promise<string> => {
    if (pod === undefined) return ""
    const read = cluster.logs({ namespace, name: pod.metadata.name }, { lines: logLines })
    return lost ? read.catch(() => "") : read
  }

  return {
    awaitTask,

    async findTask(name): Promise<TaskView | undefined> {
      const job = await cluster.read<Job>(refOf(name))
      if (job === undefined) return undefined
      const over = endingOf(job, undefined) !== undefined
      const state = over ? "ended" : job.spec.suspend === true && !hadPod(job) ? "created" : "running"
      return {
        key: job.metadata.annotations?.[annotations.migrationKey] ?? "",
        container: `Job ${job.metadata.name}`,
        state,
      }
    },

    async runOnce(release, task, options) {
      const tracks = await readTracks(scene)
      const track = trackFor(tracks, releaseKey(release))
      const objects = await objectsFor(scene, { release, track, replicas: 0, traffic: tracks.traffic, pace, task })
      const part = (...parts: string[]) => objects.filter((o) => parts.includes(partOf(o) ?? ""))
      await applyAll(scene, part("config", "account", "policy"))
      // Made suspended, so that it is written down before anything of it can have happened.
      const [job] = part("migration").filter((o) => o.kind === "Job")
      if (job === undefined) throw new Error("the chart has no migration job")
      await cluster.create({ ...job, spec: { ...(job["spec"] as object), suspend: true } })
      await options.starting?.()
      await cluster.patch(refOf(task.name), { spec: { suspend: false } })
      return awaitTask(task, options)
    },

    async removeTask(name) {
      await cluster.remove(refOf(name))
      await untilRemoved(placeOf(name))
    },

    dataSince: () => dataSince(scene),
  }
}
