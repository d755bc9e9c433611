import { join } from "node:path"
import type Docker from "dockerode"
import { writeAtomic } from "../../engine/files.js"
import { serviceFolder } from "../places.js"
import { plotOf } from "../plots.js"
import { releaseKey, type ReleaseSpec } from "../release.js"
import type { Exit } from "../target.js"
import { balancerHost, innerPort } from "./balancer-container.js"
import type { DatabaseCredentials } from "./credentials.js"
import { databaseHost } from "./database.js"
import { endOf } from "./end.js"
import { labelFilter, labels, releaseOf } from "./labels.js"
import type { Network } from "./network.js"
import { statusOf, unlessMissing, type Scene } from "./scene.js"

/** A container of the service as the Docker Engine has it. */
export interface InstanceContainer {
  readonly id: string
  readonly name: string
  readonly slot: number
  readonly key: string
  readonly release: ReleaseSpec | undefined
  readonly running: boolean
  readonly restarts: number
  readonly exit: Exit | undefined
}

export const instanceName = (scene: Pick<Scene, "place">, service: string, slot: number) =>
  `${scene.place.prefix}-${service}-${slot}`

/** All instances of a service, running or not, lowest slot first. */
export async function listInstances(
  scene: Pick<Scene, "engine" | "place">,
  service: string,
): Promise<readonly InstanceContainer[]> {
  const { docker } = scene.engine
  const found = await docker.listContainers({
    all: true,
    filters: labelFilter({ environment: scene.place.prefix, role: "instance", service }),
  })
  const all = await Promise.all(
    found.map(async (summary): Promise<InstanceContainer | undefined> => {
      const info = await unlessMissing(docker.getContainer(summary.Id).inspect())
      if (info === undefined) return undefined
      const { State, Config, RestartCount } = info as Docker.ContainerInspectInfo & { RestartCount?: number }
      // "restarting" is the pause between two starts of one that keeps dying: it is alive in Docker's eyes.
      const running = State.Running || State.Restarting
      return {
        id: info.Id,
        name: info.Name.replace(/^\//, ""),
        slot: Number(Config.Labels[labels.slot]),
        key: Config.Labels[labels.key] ?? "",
        release: releaseOf(Config.Labels),
        running,
        restarts: RestartCount ?? 0,
        exit: running || State.Status === "created" ? undefined : await endOf(docker, info),
      }
    }),
  )
  return all.filter((i) => i !== undefined).sort((a, b) => a.slot - b.slot)
}

/** Creates and starts an instance. It is not started again when it dies, until it has been admitted: see `keepAlive`. */
export async function startInstance(
  scene: Scene,
  network: Network,
  release: ReleaseSpec,
  slot: number,
  generation: number,
  database: DatabaseCredentials | undefined,
): Promise<InstanceContainer> {
  await writeConfig(scene, release)
  const container = await scene.engine.docker.createContainer({
    ...instanceOptions(scene, network, release, slot, database),
    Labels: instanceLabels(scene, release, slot, generation),
  })
  await container.start()
  return {
    id: container.id,
    name: instanceName(scene, release.service, slot),
    slot,
    key: releaseKey(release),
    release,
    running: true,
    restarts: 0,
    exit: undefined,
  }
}

/** How an instance is created, but for its labels: also what it is held against when somebody may have changed it. */
export function instanceOptions(
  scene: Pick<Scene, "place" | "environment" | "plots">,
  network: Network,
  release: ReleaseSpec,
  slot: number,
  database: DatabaseCredentials | undefined,
) {
  const { service } = release
  return {
    name: instanceName(scene, service, slot),
    Image: release.reference,
    Hostname: `${service}-${slot}`,
    Env: assignments(instanceEnvironment(scene, release, slot, database)),
    HostConfig: hostConfig(scene, network, release),
    NetworkingConfig: {
      EndpointsConfig: {
        [network.name]: { IPAMConfig: { IPv4Address: network.instance(plotOf(scene.plots, service), slot) } },
      },
    },
  } satisfies Docker.ContainerCreateOptions
}

/** What everything that runs a release's image has in common. */
export function hostConfig(scene: Pick<Scene, "place">, network: Network, release: ReleaseSpec): Docker.HostConfig {
  const { resources } = release
  return {
    NetworkMode: network.name,
    Binds: [`${configFolder(scene, release)}:/config:ro`],
    RestartPolicy: { Name: "no" },
    SecurityOpt: ["no-new-privileges"],
    LogConfig: { Type: "json-file", Config: { "max-size": "100m", "max-file": "3" } },
    ...(resources.memoryMB === undefined
      ? {}
      : { Memory: resources.memoryMB * 2 ** 20, MemorySwap: resources.memoryMB * 2 ** 20 }),
    ...(resources.cpus === undefined ? {} : { NanoCpus: Math.round(resources.cpus * 1e9) }),
  }
}

/** Variables as Docker takes them. */
export const assignments = (env: Readonly<Record<string, string>>) =>
  Object.entries(env).map(([key, value]) => `${key}=${value}`)

/** SIGTERM, the grace period, SIGKILL, gone. */
export async function stopInstance(docker: Docker, id: string, graceSeconds: number): Promise<void> {
  const container = docker.getContainer(id)
  await unlessMissing(container.stop({ t: Math.round(graceSeconds) })).catch((error: unknown) => {
    if (statusOf(error) !== 304) throw error // It had stopped by itself.
  })
  await unlessMissing(container.remove({ force: true, v: true })).catch((error: unknown) => {
    if (statusOf(error) !== 409) throw error // Somebody else removes it at this moment.
  })
}

function instanceLabels(scene: Scene, release: ReleaseSpec, slot: number, generation: number): Record<string, string> {
  return {
    [labels.environment]: scene.place.prefix,
    [labels.role]: "instance",
    [labels.service]: release.service,
    [labels.slot]: String(slot),
    [labels.generation]: String(generation),
    [labels.key]: releaseKey(release),
    [labels.digest]: release.digest,
    [labels.commit]: release.commit,
    [labels.configHash]: release.configHash,
    [labels.release]: JSON.stringify(release),
  }
}

/** What an instance finds in its environment. Values that the service declares itself come first, so the rest stands. */
export function instanceEnvironment(
  scene: Pick<Scene, "environment" | "plots">,
  release: ReleaseSpec,
  slot: number,
  database: DatabaseCredentials | undefined,
): Record<string, string> {
  return {
    PORT: String(release.port),
    ...release.env,
    GANTRY_ENVIRONMENT: scene.environment.name,
    GANTRY_COMMIT: release.commit,
    GANTRY_CONFIG: "/config/application.yml",
    SPRING_CONFIG_ADDITIONAL_LOCATION: "file:/config/",
    INSTANCE_ID: `${release.service}-${slot}`,
    ...(database === undefined
      ? {}
      : {
          DB_HOST: databaseHost(release.service),
          DB_PORT: "3306",
          DB_NAME: database.name,
          DB_USER: database.user,
          DB_PASSWORD: database.password,
        }),
    ...Object.fromEntries(
      release.calls.map((name) => [
        `${name.toUpperCase().replaceAll("-", "_")}_URL`,
        `http://${balancerHost}:${innerPort(plotOf(scene.plots, name))}`,
      ]),
    ),
  }
}

/** A folder for each configuration: an instance that is started again sees the one it was started with. */
function configFolder(scene: Pick<Scene, "place">, release: ReleaseSpec): string {
  return join(serviceFolder(scene.place, release.service), "config", release.configHash.slice(0, 16))
}

/** Puts the configuration where containers of the release find it. */
export async function writeConfig(scene: Pick<Scene, "place">, release: ReleaseSpec): Promise<void> {
  await writeAtomic(join(configFolder(scene, release), "application.yml"), release.config, 0o644)
}
