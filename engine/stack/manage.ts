import { registryAddress, type EngineConfig } from "../config.js"
import { engineContext, type ContextOptions, type EngineContext } from "../context.js"
import { dockerVersion } from "../docker/client.js"
import { forgetImages } from "../docker/forget.js"
import type { Component } from "./component.js"
import { components } from "./components.js"
import { findContainer, stopContainer } from "./container.js"
import { ensureStack, withNeeds } from "./ensure.js"

/** One component of the stack as `gantry stack status` and `gantry doctor` show it. */
export interface ComponentStatus {
  readonly id: string
  readonly title: string
  readonly state: "running" | "unhealthy" | "stopped" | "missing" | "external"
  readonly source: "mirror" | "registry" | "packages" | "external" | undefined
  readonly version: string | undefined
  readonly address: string | undefined
  /** Local name of the image. */
  readonly image: string | undefined
  /** Why it cannot be used, where it cannot. */
  readonly problem: string | undefined
}

/** Starts what is missing of the stack: all of it, or the named components and what they need. */
export function stackUp(config: EngineConfig, ids?: readonly string[], options: ContextOptions = {}): Promise<void> {
  return ensureStack(config, ids, options)
}

/** Stops and removes the stack's containers, those that need others first. Volumes stay unless `volumes` is set. */
export async function stackDown(
  config: EngineConfig,
  options: ContextOptions & { readonly volumes?: boolean } = {},
): Promise<void> {
  const context = engineContext(config, options)
  if ((await dockerVersion(context.docker)) === undefined) return
  const order = withNeeds(
    config,
    components.map((component) => component.id),
  ).reverse()
  for (const component of order) {
    if ((await findContainer(context, component.id)) === undefined) continue
    const task = context.progress.task(`Stopping ${component.title}`)
    await stopContainer(context, component.id)
    task.done()
  }
  if (options.volumes !== true) return
  for (const component of order) {
    for (const volume of Object.keys((await component.spec(context)).volumes ?? {})) {
      await context.docker
        .getVolume(`${config.stack}-${volume}`)
        .remove()
        .catch((error: { statusCode?: number }) => {
          if (error.statusCode !== 404) throw error
        })
    }
  }
  // Names of a registry whose content is gone.
  await forgetImages(context.docker, `${registryAddress(config)}/gantry/`)
}

/** The state of every component. Starts nothing. */
export async function stackStatus(config: EngineConfig, options: ContextOptions = {}): Promise<ComponentStatus[]> {
  const context = engineContext(config, options)
  return Promise.all(components.map((component) => statusOf(context, component)))
}

async function statusOf(context: EngineContext, component: Component): Promise<ComponentStatus> {
  const external = component.external(context.config)
  const base = { id: component.id, title: component.title, version: undefined, image: undefined, problem: undefined }
  if (external !== undefined) return { ...base, state: "external", source: "external", address: external }
  const address = component.address(context.config)
  const found = await findContainer(context, component.id).catch(() => undefined)
  if (found === undefined) return { ...base, state: "missing", source: undefined, address }
  const shared = { ...base, source: found.running.source, image: found.running.image, address }
  if (!found.up) return { ...shared, state: "stopped", problem: found.state }
  const problem = await component
    .health(context, found.running)
    .catch((error: unknown) => (error instanceof Error ? error.message : String(error)))
  const version = await component.version(context, found.running).catch(() => undefined)
  return { ...shared, state: problem === undefined ? "running" : "unhealthy", version, problem }
}
