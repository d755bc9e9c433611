import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import { createMasker, type Masker } from "../../core/mask.js"
import type { TaskEnd, Tasks, TaskView } from "../task.js"
import { applyAll } from "./apply.js"
import { databaseSecrets, dataSince } from "./database.js"
import { conditionOf, isTrue, type Job, type Pod } from "./kinds.js"
import { annotations } from "./labels.js"
import { objectsFor, partOf, type Wanted } from "./manifest.js"
import type { Scene } from "./scene.js"
import { isOutOfMemory, lastEnd, troubleOf } from "./trouble.js"
import { readTracks, trackFor } from "./tracks.js"
import { releaseKey } from "../release.js"

const logLines = 5_000
const pollMs = 400

/** Tasks of a service in a cluster: a Job that stays until what became of it is written down elsewhere. */
export function kubernetesTasks(scene: Scene, pace: Wanted["pace"]): Tasks {
  const { cluster, namespace, service } = scene
  const jobName = (name: string) => `${service}-${name}`
  const refOf = (name: string) => ({ apiVersion: "batch/v1", kind: "Job", namespace, name: jobName(name) })
  const masker = async (): Promise<Masker> => createMasker([...(await databaseSecrets(scene))])
  const podOf = async (name: string): Promise<Pod | undefined> => {
    const label = `batch.kubernetes.io/job-name=${jobName(name)}`
    const pods = await cluster.list<Pod>({ apiVersion: "v1", kind: "Pod", namespace, labels: label })
    return pods[0]
  }

  const awaitTask: Tasks["awaitTask"] = async (task, { signal, output }) => {
    const secrets = await masker()
    const following = new AbortController()
    let followed: Promise<void> | undefined
    const masked = secrets.stream()
    try {
      for (;;) {
        signal.throwIfAborted()
        const job = await cluster.read<Job>(refOf(task.name))
        if (job === undefined) throw gone(jobName(task.name), namespace)
        const pod = await podOf(task.name)
        const running = pod?.status?.phase !== undefined && pod.status.phase !== "Pending"
        if (output !== undefined && pod !== undefined && running && followed === undefined) {
          const stop = AbortSignal.any([signal, following.signal])
          const hand = (chunk: Buffer) => {
            const text = masked.push(chunk.toString("utf8"))
            if (text !== "") output(text)
          }
          followed = cluster.follow({ namespace, name: pod.metadata.name }, hand, stop)
        }
        const end = endOf(job, pod)
        if (end !== undefined) {
          await Promise.race([followed, sleep(2_000, undefined, { ref: false })])
          const log =
            pod === undefined ? "" : await cluster.logs({ namespace, name: pod.metadata.name }, { lines: logLines })
          return { ...end, log: secrets.text(log) }
        }
        const trouble = pod === undefined ? undefined : troubleOf(pod, Date.now())
        if (trouble !== undefined && trouble.kind !== "crash")
          throw cannotRun(jobName(task.name), namespace, trouble.text)
        await sleep(pollMs, undefined, { signal })
      }
    } finally {
      following.abort()
      const rest = masked.flush()
      if (rest !== "" && output !== undefined) output(rest)
    }
  }

  return {
    awaitTask,

    async findTask(name): Promise<TaskView | undefined> {
      const job = await cluster.read<Job>(refOf(name))
      if (job === undefined) return undefined
      const over = endOf(job, await podOf(name)) !== undefined
      const state = over ? "ended" : job.spec.suspend === true ? "created" : "running"
      return {
        key: job.metadata.annotations?.[annotations.migrationKey] ?? "",
        container: `Job ${jobName(name)}`,
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
      while ((await cluster.read(refOf(name))) !== undefined || (await podOf(name)) !== undefined) await sleep(pollMs)
    },

    dataSince: () => dataSince(scene),
  }
}

/** How a Job ended; undefined: it has not. */
function endOf(job: Job, pod: Pod | undefined): Omit<TaskEnd, "log"> | undefined {
  const failed = conditionOf(job.status?.conditions, "Failed")
  const complete = isTrue(job.status?.conditions, "Complete")
  if (!complete && failed?.status !== "True") return undefined
  const end = pod && lastEnd(pod)
  const seconds = Math.max(0, (Date.parse(end?.finishedAt ?? "") - Date.parse(end?.startedAt ?? "")) / 1000) || 0
  return {
    exitCode: complete ? 0 : (end?.exitCode ?? -1),
    outOfMemory: isOutOfMemory(end),
    timedOut: failed?.reason === "DeadlineExceeded",
    seconds,
  }
}

function cannotRun(job: string, namespace: string, said: string) {
  return fault({
    code: "K8S-TASK",
    kind: "errored",
    message: `The Job ${job} in ${namespace} cannot run`,
    reason: said,
    hint: `kubectl -n ${namespace} describe pod -l batch.kubernetes.io/job-name=${job}; it is looked for when the same command is run again.`,
  })
}

function gone(job: string, namespace: string) {
  return fault({
    code: "ENV-TASK-GONE",
    kind: "errored",
    message: `The Job ${job} in ${namespace} was removed while it ran`,
    reason: "Nobody can tell any more how far it came.",
    hint: "Find out who removes Jobs of this environment; look at what it has done before anything runs again.",
  })
}
