import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { isFault } from "../../core/errors.js"
import { readJson, writeAtomic } from "../../engine/files.js"
import { withLock } from "../../core/lock.js"
import type { Place } from "../places.js"
import { plotOf } from "../plots.js"
import {
  ensureContainer,
  innerPort,
  innerPreviewPort,
  prepareFolder,
  reloadConfig,
  untilAnswers,
} from "./balancer-container.js"
import {
  balancerFolder,
  haproxyConfig,
  previewOf,
  readinessMap,
  serverName,
  type BalancedService,
  type BalancerModel,
  type Slot,
} from "./haproxy-config.js"
import { haproxyCommand, readServers, runtimeCommands, type ServerView } from "./haproxy-runtime.js"
import type { Network } from "./network.js"
import type { Scene } from "./scene.js"

const stateFolder = (place: Place) => join(place.folder, "balancer")
/** HAProxy's runtime API, on the host. */
export const balancerSocket = (place: Place) => join(stateFolder(place), "admin.sock")

/**
 * The load balancer of an environment. What it shall do is a file (`model.json`) that is written first; then the running
 * HAProxy is brought there. Whoever finds the two apart, because a process was killed in between, does the same.
 */
export interface Balancer {
  /** Makes container and frontends of the service exist and answer, and brings what runs in line with the model. */
  ensure(service: string, slots: number, testers: BalancedService["testers"]): Promise<void>
  /** Changes slots of a service, all in one go. */
  change(service: string, slots: Readonly<Record<number, Partial<Slot>>>): Promise<void>
  /** What HAProxy sees now, by slot. */
  servers(service: string): Promise<ReadonlyMap<number, ServerView>>
  /** The model's slots of a service. */
  slots(service: string): Promise<Readonly<Record<string, Slot>>>
}

export function balancerOf(scene: Scene, network: () => Promise<Network>): Balancer {
  const folder = stateFolder(scene.place)
  const socket = balancerSocket(scene.place)
  const modelFile = join(folder, "model.json")
  const lock = <T>(work: () => Promise<T>) => withLock(join(scene.place.folder, "balancer.lock"), "the balancer", work)
  const readModel = async (): Promise<BalancerModel> =>
    ((await readJson(modelFile)) as BalancerModel | undefined) ?? { services: {} }

  const write = async (model: BalancerModel): Promise<void> => {
    await writeAtomic(modelFile, JSON.stringify(model, undefined, 1), 0o600)
    await writeAtomic(join(folder, "readiness.map"), readinessMap(model))
    await writeAtomic(join(folder, "haproxy.cfg"), haproxyConfig(model))
  }
  /** A balancer that died is started again, and asked again. */
  const patient = async <T>(ask: () => Promise<T>): Promise<T> => {
    try {
      return await ask()
    } catch (error) {
      if (!isFault(error) || error.code !== "ENV-BALANCER-SILENT") throw error
      await untilAnswers(scene, socket)
      return ask()
    }
  }
  /** The running HAProxy does what the model says. */
  const bring = (model: BalancerModel): Promise<void> =>
    patient(async () => {
      const commands = runtimeCommands(model, await readServers(socket), `${balancerFolder}/readiness.map`)
      if (commands.length > 0) await haproxyCommand(socket, commands)
    })

  return {
    ensure: (service, count, testers) =>
      lock(async () => {
        const net = await network()
        const model = await readModel()
        const number = plotOf(scene.plots, service)
        const wanted = withService(model, service, number, count, net, testers)
        const reload = structure(wanted) !== structure(model)
        await prepareFolder(folder)
        if (reload || !(await readFile(join(folder, "haproxy.cfg"), "utf8").catch(() => ""))) await write(wanted)
        const made = await ensureContainer(scene, net, folder)
        await untilAnswers(scene, socket)
        // A reload by the master process: the listening sockets are handed over, no connection is refused.
        if (reload && !made) await reloadConfig(scene, join(folder, "master.sock"))
        await bring(wanted)
      }),
    change: (service, changes) =>
      lock(async () => {
        const model = await readModel()
        const old = model.services[service]
        if (old === undefined) throw new Error(`The balancer of ${scene.place.prefix} has no service ${service}`)
        const slots = { ...old.slots }
        for (const [slot, change] of Object.entries(changes)) slots[slot] = { ...(slots[slot] as Slot), ...change }
        const next = { services: { ...model.services, [service]: { ...old, slots } } }
        await write(next)
        await bring(next)
      }),
    servers: async (service) => {
      const model = await readModel()
      const servers = await patient(() => readServers(socket))
      const result = new Map<number, ServerView>()
      for (const slot of Object.keys(model.services[service]?.slots ?? {})) {
        const view = servers.get(serverName(service, slot))
        if (view !== undefined) result.set(Number(slot), view)
      }
      return result
    },
    slots: async (service) => (await readModel()).services[service]?.slots ?? {},
  }
}

/** What only a reload changes: services, their ports and their slots' addresses. */
function structure(model: BalancerModel): string {
  return JSON.stringify(
    Object.entries(model.services)
      .sort()
      .map(([name, s]) => [
        name,
        s.port,
        s.testers,
        Object.entries(s.slots).map(([slot, { address }]) => [slot, address]),
      ]),
  )
}

function withService(
  model: BalancerModel,
  name: string,
  number: number,
  count: number,
  net: Network,
  testers: BalancedService["testers"],
): BalancerModel {
  const preview = previewOf(name)
  const at = (old: BalancedService | undefined) => slotsFor(old, number, count, net)
  return {
    services: {
      ...model.services,
      [name]: {
        port: innerPort(number),
        slots: at(model.services[name]),
        ...(testers === undefined ? {} : { testers: { name: testers.name, value: testers.value } }),
      },
      [preview]: { port: innerPreviewPort(number), slots: at(model.services[preview]) },
    },
  }
}

function slotsFor(old: BalancedService | undefined, number: number, count: number, net: Network) {
  // Never fewer than before: a slot in the middle of a deployment must not disappear.
  const most = Math.max(count, Object.keys(old?.slots ?? {}).length)
  const slots: Record<string, Slot> = {}
  for (let slot = 1; slot <= most; slot++) {
    const address = net.instance(number, slot)
    const before = old?.slots[slot]
    slots[slot] =
      before?.address === address ? before : { address, port: 8080, readiness: "/", state: "off", weight: 100 }
  }
  return slots
}
