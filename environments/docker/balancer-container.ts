import { chmod, chown, mkdir } from "node:fs/promises"
import { setTimeout as sleep } from "node:timers/promises"
import { fault, isFault } from "../../core/errors.js"
import { removeContainer } from "../../engine/docker/run.js"
import { hashText } from "../../engine/files.js"
import { balancerFolder, metricsPort } from "./haproxy-config.js"
import { haproxyCommand } from "./haproxy-runtime.js"
import { labels } from "./labels.js"
import { containerLogs } from "./logs.js"
import type { Network } from "./network.js"
import { startPublished } from "./publish.js"
import { keepStarted, unlessMissing, type Scene } from "./scene.js"

/** Public name of the load balancer's image. */
export const balancerImage = "docker.io/library/haproxy:3.0"
/** Name of the balancer inside the environment's network. */
export const balancerHost = "balancer"
/** Port of a service's frontend inside the environment's network. */
export const innerPort = (serviceNumber: number) => 8001 + serviceNumber

/** Port of its preview address there. */
export const innerPreviewPort = (serviceNumber: number) => 9001 + serviceNumber

export const balancerContainer = (scene: Pick<Scene, "place">) => `${scene.place.prefix}-balancer`

/** HAProxy never runs as root: as whoever runs Gantry, or where that is root, as a user that is nobody else. */
export function balancerUser(): { readonly uid: number; readonly gid: number } {
  const uid = process.getuid?.() ?? 0
  return uid === 0 ? { uid: 61_099, gid: 61_099 } : { uid, gid: process.getgid?.() ?? uid }
}

export async function prepareFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  const { uid, gid } = balancerUser()
  if (process.getuid?.() === 0) await chown(folder, uid, gid)
  // Nobody else on the host may give the balancer orders.
  await chmod(folder, 0o700)
}

/** @returns whether it was made or started, so that it has read the newest configuration */
export async function ensureContainer(scene: Scene, network: Network, folder: string): Promise<boolean> {
  const { docker } = scene.engine
  const name = balancerContainer(scene)
  const image = await scene.image(balancerImage)
  const published = scene.plots.ports.map((port, number) => [innerPort(number), port] as const)
  const previews = scene.plots.previews.map((port, number) => [innerPreviewPort(number), port] as const)
  const ports = [...published, ...previews, [metricsPort, scene.plots.metrics] as const]
  const { uid, gid } = balancerUser()
  const spec = hashText(JSON.stringify([image, network.name, network.balancer, ports, folder, uid, gid])).slice(0, 16)
  const found = await unlessMissing(docker.getContainer(name).inspect())
  if (found !== undefined) {
    if (found.Config.Labels[labels.state] !== folder) throw otherHome(scene, found.Config.Labels[labels.state])
    if (found.Config.Labels[labels.spec] === spec) {
      if (found.State.Running) return false
      await startPublished(scene, name, `the load balancer of ${scene.environment.name}`, ports)
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
  await startPublished(scene, name, `the load balancer of ${scene.environment.name}`, ports)
  return true
}

/** Waits until HAProxy answers, and starts it where it does not run. @throws ENV-BALANCER */
export async function untilAnswers(scene: Pick<Scene, "engine" | "place" | "environment">, socket: string) {
  const name = balancerContainer(scene)
  const deadline = performance.now() + 15_000
  for (;;) {
    try {
      if (/^Name: HAProxy/m.test(await haproxyCommand(socket, ["show info"]))) return
    } catch (error) {
      if (!isFault(error)) throw error
    }
    if (performance.now() > deadline) {
      throw fault({
        code: "ENV-BALANCER",
        kind: "errored",
        message: `The load balancer of ${scene.environment.name} does not come up`,
        reason: (await containerLogs(scene.engine.docker, name, 15)).trim(),
        hint: `docker logs ${name}`,
      })
    }
    await keepStarted(scene, name)
    await sleep(50)
  }
}

export async function reloadConfig(scene: Scene, masterSocket: string): Promise<void> {
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
