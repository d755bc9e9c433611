import { setTimeout as sleep } from "node:timers/promises"
import { prometheusClient } from "../../clients/prometheus/index.js"
import { createMasker } from "../../core/mask.js"
import { unfired } from "../../core/within.js"
import type { EngineContext } from "../../engine/context.js"
import type { Credentials } from "../../net/registry/auth.js"
import { localImage } from "../../engine/image/local.js"
import type { Environment } from "../environment.js"
import { readHistory } from "../history.js"
import { placeOf, serviceFolder, type Project } from "../places.js"
import { plotsOf, plotOf } from "../plots.js"
import { keepsPrometheus } from "../prometheus.js"
import { unknownRelease, type ReleaseSpec } from "../release.js"
import { fullWeight, type Instance, type Target } from "../target.js"
import { balancerOf } from "./balancer.js"
import { databaseCredentials, hasCredentials, type DatabaseCredentials } from "./credentials.js"
import { ensureDatabase } from "./database.js"
import { listInstances, startInstance, stopInstance, type InstanceContainer } from "./instances.js"
import { keepAlive } from "./keep-alive.js"
import { containerLogs } from "./logs.js"
import { previewOf, type Slot } from "./haproxy-config.js"
import { fileMemory } from "./memory.js"
import { ensureNetwork, mostSlots, type Network } from "./network.js"
import { ensurePrometheus, tryPrometheus, untilReady, writeTargets } from "./prometheus.js"
import { pullRelease } from "./pull.js"
import type { Scene } from "./scene.js"
import { dockerTasks } from "./tasks.js"

export interface DockerTargetOptions {
  readonly engine: EngineContext
  readonly project: Pick<Project, "project" | "engine" | "services">
  readonly environment: Environment
  readonly service: string
  /** Local image of a public reference. Default: supplied by the engine, from a registry or from packages. */
  readonly image?: (reference: string) => Promise<string>
  /** For the registry of the releases. Default: those of `docker login`. */
  readonly login?: Credentials | undefined
  readonly tell?: (line: string) => void
}

/** The target "docker": containers on the Docker Engine behind an HAProxy of the environment's own. */
export async function dockerTarget(options: DockerTargetOptions): Promise<Target> {
  const { engine, project, environment, service } = options
  const { strategy } = environment
  const place = placeOf(project, environment.name)
  // Called services, too: they may not be among those that are delivered today.
  const names = [...new Set([...project.services.flatMap((s) => [s.name, ...(s.calls ?? [])]), service])]
  const plots = await plotsOf(place, environment.name, names, environment.ports)
  /** As whoever begins now works with it: after an interrupt, on the way back. */
  const engineNow = (): EngineContext => ({ ...engine, signal: unfired(engine.signal) })
  const scene: Scene = {
    engine,
    environment,
    place,
    plots,
    image: options.image ?? ((reference) => localImage(engineNow(), reference).then((image) => image.name)),
    tell: options.tell ?? (() => undefined),
  }
  const memory = fileMemory(serviceFolder(place, service))
  let network: Promise<Network> | undefined
  const getNetwork = () => (network ??= ensureNetwork(scene))
  const balancer = balancerOf(scene, getNetwork)
  let database: DatabaseCredentials | undefined

  const describe = async (): Promise<readonly Instance[]> => {
    const containers = await listInstances(scene, service)
    if (containers.length === 0) return []
    const [servers, slots] = await Promise.all([balancer.servers(service), balancer.slots(service)])
    return containers.map((c): Instance => {
      const server = servers.get(c.slot)
      return {
        id: c.id,
        name: c.name,
        slot: c.slot,
        key: c.key,
        release: c.release ?? unknownRelease(c.key),
        state: c.running ? "running" : "dead",
        weight: slots[c.slot]?.state === "on" ? (slots[c.slot]?.weight ?? 0) : 0,
        healthy: c.running && server !== undefined && server.state !== "off" && server.healthy,
        check: server?.check,
        exit: c.exit,
        restarts: c.restarts,
      }
    })
  }
  const slotOf = (release: ReleaseSpec, slot: number, net: Network) => ({
    address: net.instance(plotOf(plots, service), slot),
    port: release.port,
    readiness: release.readiness,
    state: "probe" as const,
    weight: fullWeight,
  })

  return {
    environment: environment.name,
    service,
    url: `http://127.0.0.1:${plots.ports[plotOf(plots, service)]}`,

    previewUrl: `http://127.0.0.1:${plots.previews[plotOf(plots, service)]}`,
    ...memory,

    async prepare(release, signal) {
      const net = await getNetwork()
      const slots = Math.min(mostSlots, Math.max(12, environment.replicas * 3))
      const [, , credentials] = await Promise.all([
        pullRelease(engineNow(), release, options.login),
        balancer.ensure(service, slots, strategy.kind === "canary" ? strategy.testers : undefined),
        release.database === undefined ? undefined : ensureDatabase(scene, net, service, signal),
        keepsPrometheus(environment) ? tryPrometheus(scene, net) : undefined,
      ])
      await writeTargets(scene, net, service)
      database = credentials
    },

    describe,

    ...dockerTasks(scene, service, getNetwork),

    async start(release, count, signal) {
      const net = await getNetwork()
      if (release.database !== undefined) database ??= await databaseCredentials(place, service)
      const used = new Set((await listInstances(scene, service)).map((c) => c.slot))
      const generation = ((await readHistory(memory.notes))[0]?.generation ?? 0) + 1
      const free = Array.from({ length: mostSlots }, (_, i) => i + 1).filter((slot) => !used.has(slot))
      const started: InstanceContainer[] = []
      for (const slot of free.slice(0, count)) {
        signal.throwIfAborted()
        started.push(await startInstance(scene, net, release, slot, generation, database))
      }
      await balancer.change(service, Object.fromEntries(started.map((c) => [c.slot, slotOf(release, c.slot, net)])))
      await writeTargets(scene, net, service)
      const ids = new Set(started.map((c) => c.id))
      return (await describe()).filter((i) => ids.has(i.id))
    },

    async probe(instance) {
      const slot = (await balancer.slots(service))[instance.slot]
      if (slot?.state === "off") {
        await balancer.change(service, { [instance.slot]: slotOf(instance.release, instance.slot, await getNetwork()) })
      }
    },

    async setWeights(weights) {
      for (const [instance, weight] of weights) if (weight > 0) await keepAlive(engine.docker, instance.id)
      await balancer.change(
        service,
        Object.fromEntries(
          [...weights].map(([i, weight]) => [
            i.slot,
            weight > 0 ? { state: "on" as const, weight } : { state: "probe" as const },
          ]),
        ),
      )
    },

    async setPreview(instances) {
      const net = await getNetwork()
      const preview = previewOf(service)
      const changes: Record<number, Partial<Slot>> = {}
      for (const slot of Object.keys(await balancer.slots(preview))) changes[Number(slot)] = { state: "off" }
      for (const { slot, release } of instances) changes[slot] = { ...slotOf(release, slot, net), state: "on" }
      await balancer.change(preview, changes)
    },

    async drain(instance, seconds, signal) {
      const slot = (await balancer.slots(service))[instance.slot]
      if (slot?.state === "on") await balancer.change(service, { [instance.slot]: { state: "probe" } })
      const deadline = performance.now() + seconds * 1000
      while (performance.now() < deadline) {
        const sessions = (await balancer.servers(service)).get(instance.slot)?.sessions ?? 0
        if (sessions === 0) return
        await sleep(50, undefined, { signal })
      }
    },

    async stop(instance, graceSeconds) {
      await balancer.change(service, { [instance.slot]: { state: "off" } })
      if ((await balancer.slots(previewOf(service)))[instance.slot]?.state === "on") {
        await balancer.change(previewOf(service), { [instance.slot]: { state: "off" } })
      }
      await stopInstance(engine.docker, instance.id, graceSeconds)
      await writeTargets(scene, await getNetwork(), service)
    },

    async logs(instance, lines) {
      const text = await containerLogs(engine.docker, instance.id, lines)
      if (!(await hasCredentials(place, service))) return text
      return createMasker([(await databaseCredentials(place, service)).password]).text(text)
    },

    async metrics(signal) {
      if (environment.prometheus !== undefined)
        return prometheusClient({ url: environment.prometheus.url, ca: engine.ca })
      const client = await ensurePrometheus(scene, await getNetwork())
      await untilReady(scene, client, signal)
      return client
    },
  }
}
