import { PassThrough } from "node:stream"
import type Docker from "dockerode"

export interface ContainerRun {
  readonly image: string
  readonly command: readonly string[]
  readonly name?: string
  readonly env?: Readonly<Record<string, string>>
  /** `host:container[:ro]` */
  readonly binds?: readonly string[]
  readonly user?: string
  readonly workdir?: string
  readonly entrypoint?: readonly string[]
  readonly network?: string
  /** Relative weight among containers that want the processors; Docker's default is 1024. */
  readonly cpuShares?: number
  readonly labels?: Readonly<Record<string, string>>
  readonly onLine?: (line: string) => void
  readonly signal?: AbortSignal | undefined
  readonly timeoutMs?: number
}

export interface ContainerRan {
  readonly exitCode: number
  readonly output: string
}

/** Removes a container whatever its state; that there is none is fine. */
export async function removeContainer(docker: Docker, name: string): Promise<void> {
  try {
    await docker.getContainer(name).remove({ force: true, v: true })
  } catch (error) {
    if (![404, 409].includes((error as { statusCode?: number }).statusCode ?? 0)) throw error
  }
}

/** Runs a command in a new container to its end and removes the container, also when it is interrupted. */
export async function runContainer(docker: Docker, run: ContainerRun): Promise<ContainerRan> {
  run.signal?.throwIfAborted()
  const container = await docker.createContainer({
    Image: run.image,
    Cmd: [...run.command],
    ...(run.name === undefined ? {} : { name: run.name }),
    ...(run.entrypoint === undefined ? {} : { Entrypoint: [...run.entrypoint] }),
    ...(run.user === undefined ? {} : { User: run.user }),
    ...(run.workdir === undefined ? {} : { WorkingDir: run.workdir }),
    Env: Object.entries(run.env ?? {}).map(([name, value]) => `${name}=${value}`),
    Labels: { "dev.gantry.purpose": "build", ...run.labels },
    HostConfig: {
      Binds: [...(run.binds ?? [])],
      ...(run.network === undefined ? {} : { NetworkMode: run.network }),
      ...(run.cpuShares === undefined ? {} : { CpuShares: run.cpuShares }),
    },
  })
  const stop = (): void => {
    removeContainer(docker, container.id).catch(() => {
      // The removal at the end tries again.
    })
  }
  const timer = run.timeoutMs === undefined ? undefined : setTimeout(stop, run.timeoutMs)
  run.signal?.addEventListener("abort", stop, { once: true })
  try {
    const stream = await container.attach({ stream: true, stdout: true, stderr: true })
    const sink = new PassThrough()
    docker.modem.demuxStream(stream, sink, sink)
    stream.on("end", () => sink.end())
    stream.on("close", () => sink.end())
    stream.on("error", () => sink.end())
    let output = ""
    let rest = ""
    sink.setEncoding("utf8")
    sink.on("data", (text: string) => {
      output = (output + text).slice(-1_000_000)
      const lines = (rest + text).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) run.onLine?.(line)
    })
    const drained = new Promise<void>((resolve) => sink.on("end", resolve))
    await container.start()
    const { StatusCode } = (await container.wait()) as { StatusCode: number }
    await drained
    run.signal?.throwIfAborted()
    return { exitCode: StatusCode, output }
  } finally {
    clearTimeout(timer)
    run.signal?.removeEventListener("abort", stop)
    await removeContainer(docker, container.id)
  }
}
