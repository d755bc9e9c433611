import { chmod, chown, mkdir, readFile } from "node:fs/promises"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { fault, isFault } from "../../core/errors.js"
import { removeContainer } from "../../engine/docker/run.js"
import { hashText, readJson, writeAtomic } from "../../engine/files.js"
import { withLock } from "../../engine/lock.js"
import type { Place } from "../places.js"
import { forgetPort } from "../plots.js"
import { holderOf, isFree } from "../../engine/stack/ports.js"
import {
  balancerFolder,
  haproxyConfig,
  metricsPort,
  readinessMap,
  serverName,
  type BalancedService,
  type BalancerModel,
  type Slot,
} from "./haproxy-config.js"
import { haproxyCommand, readServers, runtimeCommands, type ServerView } from "./haproxy-runtime.js"
import { labels } from "./labels.js"
import { containerLogs } from "./logs.js"
import type { Network } from "./network.js"
import { statusOf, unlessMissing, type Scene } from "./scene.js"

const reference = "docker.io/library/haproxy:3.0"
/** Name of the balancer inside the environment's network. */
export const balancerHost = "balancer"
/** Port of a service's frontend inside the environment's network. */
export const innerPort = (serviceNumber: number) => 8001 + serviceNumber

const stateFolder = (place: Place) => join(place.folder, "balancer")
/** HAProxy's runtime API, on the host. */
export const balancerSocket = (place: Place) => join(stateFolder(place), "admin.sock")

export const balancerContainer = (scene: Pick<Scene, "place">) => `${scene.place.prefix}-balancer`

/**
 * The load balancer of an environment. What it shall do is a file (`model.json`) that is written first; then the running
 * HAProxy is brought there. Whoever finds the two apart, because a process was killed in between, does the same.
 */
export interface Balancer {
  /** Makes container and frontends of the service exist and answer, and brings what runs in line with the model. */
  ensure(service: string, slots: number): Promise<void>
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
      await unlessMissing(scene.engine.docker.getContainer(balancerContainer(scene)).start()).catch(
        (cause: unknown) => {
          if (statusOf(cause) !== 304) throw cause // 304: it runs.
        },
      )
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
    ensure: (service, count) =>
      lock(async () => {
        const net = await network()
        const model = await readModel()
        const number = scene.plots.services[service] ?? 0
        const wanted = withService(model, service, number, count, net)
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
      .map(([name, s]) => [name, s.port, Object.entries(s.slots).map(([slot, { address }]) => [slot, address])]),
  )
}

function withService(model: BalancerModel, name: string, number: number, count: number, net: Network): BalancerModel {
  const old = model.services[name]
  // Never fewer than before: a slot in the middle of a deployment must not disappear.
  const most = Math.max(count, Object.keys(old?.slots ?? {}).length)
  const slots: Record<string, Slot> = {}
  for (let slot = 1; slot <= most; slot++) {
    const address = net.instance(number, slot)
    const before = old?.slots[slot]
    slots[slot] =
      before?.address === address ? before : { address, port: 8080, readiness: "/", state: "off", weight: 100 }
  }
  const service: BalancedService = { port: innerPort(number), slots }
  return { services: { ...model.services, [name]: service } }
}

/** HAProxy never runs as root: as whoever runs Gantry, or where that is root, as a user that is nobody else. */
function balancerUser(): { readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? { uid: 61_099, gid: 61_099 } : { uid, gid: process.getgid?.() ?? uid }
}

async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { uid, gid } = balancerUser()
  if (process.getuid?.() === 0) await chown(folder, uid, gid)
  // Nobody else on the host may give the balancer orders.
  await chmod(folder, 0o700)
}

/** @returns whether it was made or started, so that it has read the newest configuration */
async function ensureContainer(scene: Scene, network: Network, folder: string): Promise<boolean> {
  const { docker } = scene.engine
  const name = balancerContainer(scene)
  const image = await scene.image(reference)
  const published = scene.plots.ports.map((port, number) => [innerPort(number), port] as const)
  const ports = [...published, [metricsPort, scene.plots.metrics] as const]
  const { uid, gid } = balancerUser()
  const spec = hashText(JSON.stringify([image, network.name, network.balancer, ports, folder, uid, gid])).slice(0, 16)
  const found = await unlessMissing(docker.getContainer(name).inspect())
  if (found !== undefined) {
    if (found.Config.Labels[labels.state] !== folder) throw otherHome(scene, found.Config.Labels[labels.state])
    if (found.Config.Labels[labels.spec] === spec) {
      if (found.State.Running) return false
      await start(scene, ports)
      return true
    }
    scene.tell(`the load balancer of ${scene.environment.name} is made anew: its image or its ports changed`)
  } else scene.tell(`the load balancer of ${scene.environment.name} is made`)
  const create = await docker.createContainer({
    name: `${name}${found === undefined ? "" : "-next"}`,
    Image: image,
    User: `${uid}:${gid}`,
    Entrypoint: ["haproxy"],
    Cmd: ["-W", "-db", "-S", `${balancerFolder}/master.sock`, "-f", `${balancerFolder}/haproxy.cfg`],
    Labels: {
      [labels.environment]: scene.place.prefix,
      [labels.role]: "balancer",
      [labels.spec]: spec,
      [labels.state]: folder,
    },
    Hostname: balancerHost,
    ExposedPorts: Object.fromEntries(ports.map(([inside]) => [`${inside}/tcp`, {}])),
    StopTimeout: 15,
    HostConfig: {
      NetworkMode: network.name,
      Binds: [`${folder}:${balancerFolder}`],
      PortBindings: Object.fromEntries(
        ports.map(([inside, port]) => [`${inside}/tcp`, [{ HostIp: "127.0.0.1", HostPort: String(port) }]]),
      ),
      RestartPolicy: { Name: "unless-stopped" },
      SecurityOpt: ["no-new-privileges"],
      CapDrop: ["ALL"],
      Ulimits: [{ Name: "nofile", Soft: 20_000, Hard: 20_000 }],
      LogConfig: { Type: "json-file", Config: { "max-size": "100m", "max-file": "3" } },
    },
    NetworkingConfig: {
      EndpointsConfig: {
        [network.name]: { IPAMConfig: { IPv4Address: network.balancer }, Aliases: [balancerHost] },
      },
    },
  })
  if (found !== undefined) {
    // All is ready before the old one goes: the gap is one start of HAProxy.
    await removeContainer(docker, name)
    await create.rename({ name })
  }
  await start(scene, ports)
  return true
}

async function start(scene: Scene, ports: readonly (readonly [number, number])[]): Promise<void> {
  const name = balancerContainer(scene)
  try {
    await scene.engine.docker.getContainer(name).start()
  } catch (error) {
    if (statusOf(error) === 304) return
    if (!/port is already allocated|address already in use/i.test((error as Error).message)) throw error
    const configured = new Set(Object.values(scene.environment.ports))
    for (const [, port] of ports) {
      if (await isFree(port)) continue
      const holder = await holderOf(scene.engine, port)
      await removeContainer(scene.engine.docker, name)
      if (!configured.has(port)) await forgetPort(scene.place, port)
      throw fault({
        code: "ENV-PORT-IN-USE",
        kind: "errored",
        message: `Port ${port} on 127.0.0.1, of the load balancer of ${scene.environment.name}, is in use`,
        reason: holder === undefined ? "Who holds it cannot be told; root sees more." : `${holder} listens there.`,
        hint: configured.has(port)
          ? `Stop that, or name another port: environments.${scene.environment.name}.ports in gantry.config.ts.`
          : "Run the same command again: another port is taken then.",
      })
    }
    throw error
  }
}

async function untilAnswers(scene: Scene, socket: string): Promise<void> {
  const deadline = performance.now() + 15_000
  for (;;) {
    try {
      if (/^Name: HAProxy/m.test(await haproxyCommand(socket, ["show info"]))) return
    } catch (error) {
      if (!isFault(error)) throw error
    }
    if (performance.now() > deadline) {
      const name = balancerContainer(scene)
      throw fault({
        code: "ENV-BALANCER",
        kind: "errored",
        message: `The load balancer of ${scene.environment.name} does not come up`,
        reason: (await containerLogs(scene.engine.docker, name, 15)).trim(),
        hint: `docker logs ${name}`,
      })
    }
    await sleep(50)
  }
}

async function reloadConfig(scene: Scene, masterSocket: string): Promise<void> {
  const answer = await haproxyCommand(masterSocket, ["reload"])
  if (answer.startsWith("Success=1")) return
  throw fault({
    code: "ENV-BALANCER-CONFIG",
    kind: "errored",
    message: `The load balancer of ${scene.environment.name} refuses its configuration`,
    reason: answer,
    hint: `It goes on with the one before. docker logs ${balancerContainer(scene)}`,
  })
}

function otherHome(scene: Scene, state: string | undefined) {
  return fault({
    code: "ENV-OTHER-HOME",
    kind: "usage",
    message: `${scene.environment.name} of this project is kept by another Gantry home`,
    reason: `Its state lies in ${state ?? "an unknown folder"}; this is ${scene.place.folder}.`,
    hint: "Use that home (GANTRY_HOME), or give this one a stack of its own: engine.stack in gantry.config.ts.",
  })
}
