import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fault, isFault } from "../../core/errors.js"
import type { EngineConfig } from "../config.js"
import { engineContext, type ContextOptions, type EngineContext } from "../context.js"
import { ensureDocker } from "../docker/ensure.js"
import { localImage } from "../image/local.js"
import { withLock } from "../../core/lock.js"
import { recipeFor } from "../recipes/index.js"
import { madeName } from "../supply/make.js"
import type { Component, ContainerSpec, Running } from "./component.js"
import { componentOf, components } from "./components.js"
import { checkPorts } from "./ports.js"
import { containerLog, createContainer, findContainer, specHash, stopContainer } from "./container.js"

/**
 * Makes sure that components of the local stack (default: all) and what they need are up, healthy and of the right
 * version; what an external server replaces is left alone. Independent ones are provided in parallel, one process does
 * it at a time, and what an interrupted one had finished is found and kept.
 * Errors: those of Docker and of the supply of images, STACK-PORT-IN-USE, STACK-START, STACK-VERSION.
 */
export async function ensureStack(
  config: EngineConfig,
  ids: readonly string[] = components.map((component) => component.id),
  options: ContextOptions = {},
): Promise<void> {
  await ensureComponents(engineContext(config, options), ids)
}

/** The same, inside a context. */
export async function ensureComponents(context: EngineContext, ids: readonly string[]): Promise<void> {
  const wanted = withNeeds(context.config, ids)
  if (wanted.length === 0) return
  await ensureDocker(context)
  if (await allUp(context, wanted)) return
  // Images take the long time and have locks of their own; a second process may fetch others meanwhile.
  const started = new Map<string, Promise<void>>()
  const start = (component: Component): Promise<void> => {
    const known = started.get(component.id)
    if (known !== undefined) return known
    const work = ensureOne(context, component, () =>
      Promise.all(neededBy(context.config, component).map((needed) => start(needed))),
    )
    started.set(component.id, work)
    return work
  }
  const results = await Promise.allSettled(wanted.map(start))
  // Every other one was given its time to finish; the first failure is told.
  for (const result of results) if (result.status === "rejected") throw result.reason
}

function neededBy(config: EngineConfig, component: Component): Component[] {
  return component
    .needs(config)
    .map(componentOf)
    .filter((needed) => needed.external(config) === undefined)
}

/** The components and, before them, what they need; without those that the configuration replaces. */
export function withNeeds(config: EngineConfig, ids: readonly string[]): Component[] {
  const result: Component[] = []
  const add = (component: Component): void => {
    if (result.includes(component) || component.external(config) !== undefined) return
    for (const needed of neededBy(config, component)) add(needed)
    result.push(component)
  }
  for (const id of ids) add(componentOf(id))
  return result
}

async function allUp(context: EngineContext, wanted: readonly Component[]): Promise<boolean> {
  const states = await Promise.all(
    wanted.map(async (component) => {
      const running = await current(context, component, await component.spec(context))
      return running !== undefined && (await component.health(context, running)) === undefined
    }),
  )
  return states.every(Boolean)
}

/** The component's container, if it runs, is what the configuration asks for, and has not outlived the network it joined. */
async function current(
  context: EngineContext,
  component: Component,
  spec: ContainerSpec,
): Promise<Running | undefined> {
  const found = await findContainer(context, component.id)
  if (found === undefined || !found.up || found.spec !== specHash(context, component, spec)) return undefined
  if (found.running.source === "packages") {
    const recipe = recipeFor(component.image(context.config))
    if (recipe !== undefined && (await madeName(context, recipe)) !== found.running.image) return undefined
  }
  if (spec.networkOf !== undefined) {
    const owner = await findContainer(context, spec.networkOf)
    if (owner === undefined || !owner.up || owner.running.startedAt > found.running.startedAt) return undefined
  }
  return found.running
}

async function ensureOne(context: EngineContext, component: Component, needed: () => Promise<unknown>): Promise<void> {
  const spec = await component.spec(context)
  const usable = async (): Promise<boolean> => {
    const running = await current(context, component, spec)
    return running !== undefined && (await component.health(context, running)) === undefined
  }
  const [image] = await Promise.all([
    (await current(context, component, spec)) === undefined
      ? localImage(context, component.image(context.config))
      : undefined,
    needed(),
  ])
  await withLock(
    join(context.home, "locks", `stack-${context.config.stack}-${component.id}.lock`),
    `starting ${component.title}`,
    async () => {
      if (await usable()) return
      const task = context.progress.task(`Starting ${component.title}`, { expectedSeconds: component.expectedSeconds })
      try {
        const found = (await current(context, component, spec)) !== undefined
        const create = async (): Promise<Running> => {
          await stopContainer(context, component.id)
          await checkPorts(context, Object.values(spec.ports ?? {}))
          const from = image ?? (await localImage(context, component.image(context.config)))
          await createContainer(context, component, spec, from)
          return healthy(context, component, (text) => task.update(text))
        }
        const running = found
          ? await healthy(context, component, (text) => task.update(text)).catch((error: unknown) => {
              // It was going down, or stuck, as it was found: a new one gets its chance.
              if (isFault(error) && error.code === "STACK-START") return create()
              throw error
            })
          : await create()
        const version = await component.version(context, running)
        checkVersion(component, version)
        await component.prepare?.(context, running)
        task.done(
          `${version}${component.address(context.config) === undefined ? "" : ` at ${component.address(context.config)}`}`,
        )
      } catch (error) {
        task.fail(error)
        throw error
      }
    },
    { signal: context.signal },
  )
}

async function healthy(context: EngineContext, component: Component, tell: (text: string) => void): Promise<Running> {
  const deadline = Date.now() + component.startSeconds * 1000
  for (;;) {
    const found = await findContainer(context, component.id)
    if (found === undefined || !found.up) {
      throw startFault(
        component,
        `its container ${found === undefined ? "is gone" : `is ${found.state}`}`,
        await containerLog(context, component.id),
      )
    }
    const missing = await component.health(context, found.running)
    if (missing === undefined) return found.running
    tell(missing)
    if (Date.now() > deadline) {
      throw startFault(
        component,
        `not ready after ${component.startSeconds} s: ${missing}`,
        await containerLog(context, component.id),
      )
    }
    await sleep(200, undefined, context.signal === undefined ? {} : { signal: context.signal })
  }
}

function startFault(component: Component, reason: string, log: string): Error {
  return fault({
    code: "STACK-START",
    kind: "errored",
    message: `${component.title} did not start`,
    reason: `${reason}${log === "" ? "" : `\n${log}`}`,
    hint: "gantry doctor says what is missing; gantry stack up tries again.",
  })
}

function checkVersion(component: Component, version: string): void {
  const expected = component.expectedVersion
  if (expected === undefined || (typeof expected === "string" ? version === expected : expected.test(version))) return
  throw fault({
    code: "STACK-VERSION",
    kind: "errored",
    message: `${component.title} is ${version}, expected is ${String(expected)}`,
    reason: "Client and server of different versions fail in ways that are hard to understand.",
    hint: "Remove the mirror or image that brings the other version, then: gantry stack down && gantry stack up",
  })
}
