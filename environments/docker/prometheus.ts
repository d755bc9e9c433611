import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import { prometheusClient, type Prometheus } from "../../clients/prometheus/index.js"
import { fault, isFault } from "../../core/errors.js"
import { withLock } from "../../core/lock.js"
import { removeContainer } from "../../engine/docker/run.js"
import { hashText, writeAtomic, writeChanged } from "../../engine/files.js"
import { plotOf } from "../plots.js"
import { prometheusArguments, prometheusImage, prometheusMemoryMB as memoryMB } from "../prometheus.js"
import { balancerUser, prepareFolder } from "./balancer-container.js"
import { listInstances } from "./instances.js"
import { labels } from "./labels.js"
import { containerLogs } from "./logs.js"
import type { Network } from "./network.js"
import {
  configFolder,
  dataFolder,
  prometheusConfig,
  scrapeTargets,
  targetsFolder,
  type ScrapedInstance,
} from "./prometheus-config.js"
import { startPublished } from "./publish.js"
import { keepStarted, unlessMissing, type Scene } from "./scene.js"

export const prometheusContainer = (scene: Pick<Scene, "place">) => `${scene.place.prefix}-prometheus`

const port = 9090
const folderOf = (scene: Pick<Scene, "place">) => join(scene.place.folder, "prometheus")
const configOf = (scene: Pick<Scene, "place">) => join(folderOf(scene), "config")

/**
 * Makes the environment's Prometheus exist and run, and answers a client of it. It need not be ready yet.
 * @throws ENV-PORT-IN-USE
 */
export async function ensurePrometheus(scene: Scene, network: Network): Promise<Prometheus> {
  await withLock(join(scene.place.folder, "prometheus.lock"), "Prometheus", () => ensureContainer(scene, network))
  return prometheusClient({
    url: `http://127.0.0.1:${scene.plots.prometheus}`,
    hint: `docker logs ${prometheusContainer(scene)}; \`docker start\` of it, or the next deployment, brings it back.`,
  })
}

/**
 * Waits until Prometheus has figures of the balancer: it begins to scrape up to five seconds after its start, and what a
 * window looks back to must be known. @throws METRICS-UNREACHABLE
 */
export async function untilReady(scene: Scene, client: Prometheus, signal: AbortSignal): Promise<void> {
  const deadline = performance.now() + 30_000
  const name = prometheusContainer(scene)
  const hasFigures = async () => {
    if (!(await client.isReady(signal))) return false
    const { State } = await scene.engine.docker.getContainer(name).inspect()
    // New ones: after a restart those from before are there at once. A balancer that does not answer is known, too (up is 0).
    const fresh = `timestamp(up{job="balancer"}) > ${Date.parse(State.StartedAt) / 1000}`
    return (await client.query(fresh, signal)) !== undefined
  }
  while (!(await hasFigures())) {
    if (performance.now() > deadline) {
      throw fault({
        code: "METRICS-UNREACHABLE",
        kind: "errored",
        message: `The Prometheus of ${scene.environment.name} does not come up`,
        reason: (await containerLogs(scene.engine.docker, name, 15)).trim(),
        hint: `docker logs ${name}`,
      })
    }
    await keepStarted(scene, name)
    await sleep(100, undefined, { signal })
  }
}

/** Has Prometheus scrape exactly those instances of a service that are there. */
export async function writeTargets(scene: Scene, network: Network, service: string): Promise<void> {
  const number = plotOf(scene.plots, service)
  const instances = (await listInstances(scene, service)).flatMap(({ slot, release }): ScrapedInstance[] =>
    release?.metrics === undefined
      ? []
      : [{ slot, address: network.instance(number, slot), port: release.port, path: release.metrics }],
  )
  await writeChanged(join(configOf(scene), targetsFolder, `${service}.json`), scrapeTargets(service, instances))
}

async function ensureContainer(scene: Scene, network: Network): Promise<void> {
  const { docker } = scene.engine
  const name = prometheusContainer(scene)
  const folder = folderOf(scene)
  const data = join(folder, "data")
  const config = prometheusConfig(network.balancer)
  const image = await scene.image(prometheusImage)
  const { uid, gid } = balancerUser()
  const ports = [[port, scene.plots.prometheus] as const]
  const what = `the Prometheus of ${scene.environment.name}`
  const command = prometheusArguments(`${configFolder}/prometheus.yml`, dataFolder)
  const spec = hashText(
    JSON.stringify([image, config, network.name, network.prometheus, ports, folder, uid, gid, command, memoryMB]),
  )
  for (const part of [configOf(scene), join(configOf(scene), targetsFolder), data]) await prepareFolder(part)
  const found = await unlessMissing(docker.getContainer(name).inspect())
  if (found?.Config.Labels[labels.spec] === spec) {
    if (!found.State.Running) scene.tell(`${what} had stopped and is started again`)
    return startPublished(scene, name, what, ports)
  }
  scene.tell(
    found === undefined
      ? `${what} is made: http://127.0.0.1:${scene.plots.prometheus}`
      : `${what} is made anew: its image or its settings changed`,
  )
  await writeAtomic(join(configOf(scene), "prometheus.yml"), config)
  await removeContainer(docker, name)
  await docker.createContainer({
    name,
    Image: image,
    User: `${uid}:${gid}`,
    Entrypoint: ["prometheus"],
    Cmd: command,
    // Collects its garbage in time rather than meet the limit.
    Env: [`GOMEMLIMIT=${Math.round(memoryMB * 0.8)}MiB`],
    Labels: {
      [labels.environment]: scene.place.prefix,
      [labels.role]: "prometheus",
      [labels.spec]: spec,
      [labels.state]: folder,
    },
    Hostname: "prometheus",
    ExposedPorts: { [`${port}/tcp`]: {} },
    HostConfig: {
      NetworkMode: network.name,
      Binds: [`${configOf(scene)}:${configFolder}:ro`, `${data}:${dataFolder}`],
      PortBindings: { [`${port}/tcp`]: [{ HostIp: "127.0.0.1", HostPort: String(scene.plots.prometheus) }] },
      RestartPolicy: { Name: "unless-stopped" },
      SecurityOpt: ["no-new-privileges"],
      CapDrop: ["ALL"],
      Memory: memoryMB * 2 ** 20,
      MemorySwap: memoryMB * 2 ** 20,
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "2" } },
    },
    NetworkingConfig: {
      EndpointsConfig: { [network.name]: { IPAMConfig: { IPv4Address: network.prometheus }, Aliases: ["prometheus"] } },
    },
  })
  await startPublished(scene, name, what, ports)
}

/** A release must be able to come back without figures: then only judging fails, and says so. */
export async function tryPrometheus(scene: Scene, network: Network): Promise<void> {
  try {
    await ensurePrometheus(scene, network)
  } catch (error) {
    scene.tell(
      `the Prometheus of ${scene.environment.name} does not start: ${isFault(error) ? `${error.code}: ` : ""}${String((error as Error).message)}`,
    )
  }
}
