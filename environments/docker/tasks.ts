import { PassThrough } from "node:stream"
import { setTimeout as sleep } from "node:timers/promises"
import type Docker from "dockerode"
import { fault } from "../../core/errors.js"
import { createMasker, type Masker } from "../../core/mask.js"
import type { ReleaseSpec } from "../release.js"
import type { Task, TaskEnd, TaskOptions, Tasks, TaskView } from "../task.js"
import { databaseCredentials, hasCredentials, type DatabaseCredentials } from "./credentials.js"
import { databaseContainer } from "./database.js"
import { endOf } from "./end.js"
import { assignments, hostConfig, instanceEnvironment, writeConfig } from "./instances.js"
import { labels } from "./labels.js"
import { containerLogs } from "./logs.js"
import type { Network } from "./network.js"
import { statusOf, unlessMissing, type Scene } from "./scene.js"

const logLines = 5_000
/** Between SIGTERM and SIGKILL of a task whose time is over. Seconds. */
const grace = 10

export const taskContainer = (scene: Pick<Scene, "place">, service: string, name: string) =>
  `${scene.place.prefix}-${service}-${name}`

/** Tasks of a service on the Docker Engine: a container that stays until what became of it is written down elsewhere. */
export function dockerTasks(scene: Scene, service: string, getNetwork: () => Promise<Network>): Tasks {
  const { docker } = scene.engine
  const containerOf = (name: string) => docker.getContainer(taskContainer(scene, service, name))
  const credentials = async (): Promise<DatabaseCredentials | undefined> =>
    (await hasCredentials(scene.place, service)) ? databaseCredentials(scene.place, service) : undefined
  const masker = async (): Promise<Masker> => {
    const known = await credentials()
    return createMasker(known === undefined ? [] : [known.password])
  }

  const awaitTask: Tasks["awaitTask"] = async (task, options) => {
    const container = containerOf(task.name)
    const secrets = await masker()
    const stopFollowing = await follow(docker, container, secrets, options)
    try {
      const end = await untilEnded(docker, taskContainer(scene, service, task.name), task, options.signal)
      await stopFollowing(true)
      return { ...end, log: secrets.text(await containerLogs(docker, container.id, logLines)) }
    } finally {
      await stopFollowing(false)
    }
  }

  return {
    awaitTask,

    async findTask(name) {
      const info = await unlessMissing(containerOf(name).inspect())
      return info === undefined ? undefined : view(info)
    },

    async runOnce(release, task, options) {
      await writeConfig(scene, release)
      const container = await docker.createContainer(
        taskOptions(scene, await getNetwork(), release, task, await credentials()),
      )
      await options.starting?.()
      await container.start()
      return awaitTask(task, options)
    },

    async removeTask(name) {
      await unlessMissing(containerOf(name).remove({ force: true, v: true })).catch((error: unknown) => {
        if (statusOf(error) !== 409) throw error // Somebody else removes it at this moment.
      })
    },

    async dataSince() {
      const volume = await unlessMissing(docker.getVolume(databaseContainer(scene, service)).inspect())
      // Volumes of before had no such label: they count as made at the beginning.
      return volume === undefined ? undefined : ((volume.Labels ?? {})[labels.since] ?? "the beginning")
    },
  }
}

function taskOptions(
  scene: Scene,
  network: Network,
  release: ReleaseSpec,
  task: Task,
  database: DatabaseCredentials | undefined,
): Docker.ContainerCreateOptions {
  const { service } = release
  // Not an instance: it has no slot, and so no fixed address.
  const env = { ...instanceEnvironment(scene, release, 0, database), INSTANCE_ID: `${service}-${task.name}` }
  const [entrypoint = "", ...rest] = task.command
  return {
    name: taskContainer(scene, service, task.name),
    Image: release.reference,
    Hostname: `${service}-${task.name}`,
    Entrypoint: [entrypoint],
    Cmd: rest,
    Env: assignments(env),
    // A migration is no server: the image's own check would only disturb it.
    Healthcheck: { Test: ["NONE"] },
    Labels: {
      [labels.environment]: scene.place.prefix,
      [labels.role]: "task",
      [labels.service]: service,
      [labels.task]: task.key,
      [labels.digest]: release.digest,
      [labels.commit]: release.commit,
    },
    HostConfig: hostConfig(scene, network, release),
  }
}

function view(info: Docker.ContainerInspectInfo): TaskView {
  const { State, Config, Name } = info
  return {
    key: Config.Labels[labels.task] ?? "",
    container: Name.replace(/^\//, ""),
    state: State.Running ? "running" : State.Status === "created" ? "created" : "ended",
  }
}

async function untilEnded(
  docker: Docker,
  name: string,
  { timeoutSeconds }: Pick<Task, "timeoutSeconds">,
  signal: AbortSignal,
): Promise<Omit<TaskEnd, "log">> {
  const container = docker.getContainer(name)
  let timedOut = false
  for (;;) {
    signal.throwIfAborted()
    const info = await unlessMissing(container.inspect())
    if (info === undefined) throw gone(name)
    const { State } = info
    const started = Date.parse(State.StartedAt)
    if (!State.Running && State.Status !== "created") {
      const seconds = Math.max(0, (Date.parse(State.FinishedAt) - started) / 1000)
      const { code, outOfMemory } = await endOf(docker, info)
      return { exitCode: code, outOfMemory, timedOut, seconds }
    }
    if (State.Running && (Date.now() - started) / 1000 > timeoutSeconds) {
      timedOut = true
      await unlessMissing(container.stop({ t: grace })).catch((error: unknown) => {
        if (statusOf(error) !== 304) throw error
        timedOut = false // It ended by itself just in time.
      })
      continue
    }
    await sleep(200, undefined, { signal })
  }
}

/** Hands on what it writes. @returns ends it: `whole` waits, for a moment, for the last lines */
async function follow(
  docker: Docker,
  container: Docker.Container,
  secrets: Masker,
  { output }: TaskOptions,
): Promise<(whole: boolean) => Promise<void>> {
  if (output === undefined) return () => Promise.resolve()
  const stream = (await container.logs({ follow: true, stdout: true, stderr: true })) as NodeJS.ReadableStream & {
    destroy(): void
  }
  const sink = new PassThrough()
  const masked = secrets.stream()
  sink.setEncoding("utf8")
  sink.on("data", (chunk: string) => {
    const text = masked.push(chunk)
    if (text !== "") output(text)
  })
  docker.modem.demuxStream(stream, sink, sink)
  for (const event of ["end", "close", "error"]) stream.on(event, () => sink.end())
  const ended = new Promise<void>((resolve) => void sink.on("end", resolve))
  let open = true
  return async (whole) => {
    if (!open) return
    open = false
    if (whole) await Promise.race([ended, sleep(2_000, undefined, { ref: false })])
    stream.destroy()
    const rest = masked.flush()
    if (rest !== "") output(rest)
  }
}

function gone(container: string) {
  return fault({
    code: "ENV-TASK-GONE",
    kind: "errored",
    message: `The container ${container} was removed while it ran`,
    reason: "Nobody can tell any more how far it came.",
    hint: "Find out who removes containers of this environment; look at what it has done before anything runs again.",
  })
}
