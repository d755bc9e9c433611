import type Docker from "dockerode"
import type { EngineContext } from "../context.js"
import { removeContainer } from "../docker/run.js"
import { hashText } from "../files.js"
import type { LocalImage } from "../image/local.js"
import type { Component, ContainerSpec, Running } from "./component.js"
import { execIn } from "./exec.js"
import { portFault } from "./ports.js"
import { boundingSet, capabilityConfig, lacksCapability } from "./privileges.js"

const label = (name: string): string => `dev.gantry.${name}`

export function containerName(context: EngineContext, id: string): string {
  return `${context.config.stack}-${id}`
}

/** Identity of a component's container, its image aside: reference, way of supply and spec. */
export function specHash(context: EngineContext, component: Component, spec: ContainerSpec): string {
  const { supply, mirrors } = context.config
  return hashText(JSON.stringify([component.image(context.config), supply, mirrors, spec])).slice(0, 16)
}

/** A container of the stack as the Docker Engine has it. */
export interface Found {
  readonly running: Running
  readonly up: boolean
  readonly spec: string
  /** The last exit, for people: "exited with 137". */
  readonly state: string
}

export async function findContainer(context: EngineContext, id: string): Promise<Found | undefined> {
  const name = containerName(context, id)
  try {
    const info = await context.docker.getContainer(name).inspect()
    return {
      running: {
        id: info.Id,
        name,
        image: info.Config.Image,
        source: (info.Config.Labels[label("source")] ?? "packages") as Running["source"],
        startedAt: info.State.StartedAt,
        exec: (command) => execIn(context.docker, info.Id, command),
      },
      up: info.State.Running,
      spec: info.Config.Labels[label("spec")] ?? "",
      state: info.State.Running
        ? "running"
        : `${info.State.Status} (exit code ${info.State.ExitCode}) ${info.State.Error}`.trim(),
    }
  } catch (error) {
    if ((error as { statusCode?: number }).statusCode === 404) return undefined
    throw error
  }
}

/** Creates and starts a component's container in place of the one that may be there. Its volumes stay. */
export async function createContainer(
  context: EngineContext,
  component: Component,
  spec: ContainerSpec,
  image: LocalImage,
): Promise<void> {
  const name = containerName(context, component.id)
  await stopContainer(context, component.id)
  const options = createOptions(context, component, spec, image)
  const start = async (extra: Record<string, unknown>): Promise<void> => {
    const { extraBinds, ...hostConfig } = extra as { extraBinds?: string[] }
    const container = await context.docker.createContainer({
      ...options,
      HostConfig: {
        ...options.HostConfig,
        ...hostConfig,
        Binds: [...(options.HostConfig?.Binds ?? []), ...(extraBinds ?? [])],
      },
    })
    await container.start()
  }
  try {
    await start(spec.privileged === true ? { Privileged: true } : {})
  } catch (error) {
    await removeContainer(context.docker, name)
    const message = error instanceof Error ? error.message : String(error)
    const port = await portFault(context, Object.values(spec.ports ?? {}), message)
    if (port !== undefined) throw port
    const bounding = await boundingSet()
    if (spec.privileged !== true || bounding === undefined || !lacksCapability(message)) throw error
    await startWithCapabilities(start, bounding)
  }
}

/** Older Docker Engines do not know the newest capabilities, and say which: those are left out. */
async function startWithCapabilities(
  start: (extra: Record<string, unknown>) => Promise<void>,
  bounding: string,
): Promise<void> {
  const unknown: string[] = []
  for (;;) {
    try {
      return await start(capabilityConfig(bounding, unknown))
    } catch (error) {
      const name = /unknown capability: "CAP_(\w+)"/.exec(error instanceof Error ? error.message : "")?.[1]
      if (name === undefined || unknown.includes(name)) throw error
      unknown.push(name)
    }
  }
}

function createOptions(
  context: EngineContext,
  component: Component,
  spec: ContainerSpec,
  image: LocalImage,
): Docker.ContainerCreateOptions {
  const { stack } = context.config
  const ports = Object.entries(spec.ports ?? {})
  return {
    name: containerName(context, component.id),
    Image: image.name,
    Env: Object.entries(spec.env ?? {}).map(([key, value]) => `${key}=${value}`),
    ...(spec.command === undefined ? {} : { Cmd: [...spec.command] }),
    ...(spec.entrypoint === undefined ? {} : { Entrypoint: [...spec.entrypoint] }),
    ...(spec.user === undefined ? {} : { User: spec.user }),
    ...(spec.networkOf === undefined ? { Hostname: component.id } : {}),
    Labels: {
      [label("stack")]: stack,
      [label("component")]: component.id,
      [label("spec")]: specHash(context, component, spec),
      [label("source")]: image.source,
      [label("provides")]: image.provides,
    },
    ExposedPorts: Object.fromEntries(ports.map(([inside]) => [`${inside}/tcp`, {}])),
    StopTimeout: spec.stopSeconds ?? 10,
    HostConfig: {
      Binds: [
        ...Object.entries(spec.volumes ?? {}).map(([volume, folder]) => `${stack}-${volume}:${folder}`),
        ...(spec.binds ?? []),
      ],
      PortBindings: Object.fromEntries(
        ports.map(([inside, outside]) => [`${inside}/tcp`, [{ HostIp: "127.0.0.1", HostPort: String(outside) }]]),
      ),
      ...(spec.networkOf === undefined ? {} : { NetworkMode: `container:${containerName(context, spec.networkOf)}` }),
      ...(spec.ulimits === undefined ? {} : { Ulimits: [...spec.ulimits] }),
      ...(spec.memoryBytes === undefined ? {} : { Memory: spec.memoryBytes }),
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "2" } },
    },
  }
}

/** Stops a component's container with SIGTERM and its own time, then removes it. That there is none is fine. */
export async function stopContainer(context: EngineContext, id: string): Promise<void> {
  const container = context.docker.getContainer(containerName(context, id))
  try {
    await container.stop()
  } catch (error) {
    // 304 not running, 404 none.
    if (![304, 404].includes((error as { statusCode?: number }).statusCode ?? 0)) throw error
  }
  await removeContainer(context.docker, containerName(context, id))
}

/** The last lines of a container's log, for an error. */
export async function containerLog(context: EngineContext, id: string, lines = 20): Promise<string> {
  try {
    const raw = await context.docker
      .getContainer(containerName(context, id))
      .logs({ stdout: true, stderr: true, tail: lines })
    // Each chunk has a header of 8 bytes (Docker's stream format); for people the text is enough.
    return raw
      .toString("utf8")
      .replace(/[\u0000-\u0002]\0\0\0[^]{4}/g, "")
      .trim()
  } catch {
    return ""
  }
}
