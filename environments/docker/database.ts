import { setTimeout as sleep } from "node:timers/promises"
import { fault } from "../../core/errors.js"
import { removeContainer } from "../../engine/docker/run.js"
import { execIn } from "../../engine/stack/exec.js"
import { withLock } from "../../core/lock.js"
import { hashText } from "../../engine/files.js"
import { serviceFolder } from "../places.js"
import { plotOf } from "../plots.js"
import { databaseCredentials, hasCredentials, type DatabaseCredentials } from "./credentials.js"
import { labels } from "./labels.js"
import { containerLogs } from "./logs.js"
import type { Network } from "./network.js"
import { keepStarted, statusOf, unlessMissing, type Scene } from "./scene.js"

/** Public name of the image of the environments' databases. */
export const databaseImage = "docker.io/library/mariadb:11.8"
const startSeconds = 120

export const databaseContainer = (scene: Pick<Scene, "place">, service: string) => `${scene.place.prefix}-${service}-db`
/** Name inside the environment's network. */
export const databaseHost = (service: string) => `${service}-db`

/** Has a MariaDB of the service's own run in the environment and waits until it lets the service's user in. */
export async function ensureDatabase(
  scene: Scene,
  network: Network,
  service: string,
  signal: AbortSignal,
): Promise<DatabaseCredentials> {
  const lock = `${serviceFolder(scene.place, service)}/database.lock`
  return withLock(lock, `the database of ${service}`, () => ensure(scene, network, service, signal), { signal })
}

async function ensure(scene: Scene, network: Network, service: string, signal: AbortSignal) {
  const { docker } = scene.engine
  const name = databaseContainer(scene, service)
  const volume = name
  const found = await unlessMissing(docker.getContainer(name).inspect())
  if (!(await hasCredentials(scene.place, service))) {
    const data = found ?? (await unlessMissing(docker.getVolume(volume).inspect()))
    if (data !== undefined) throw credentialsLost(scene, service, volume)
  }
  const credentials = await databaseCredentials(scene.place, service)
  const spec = hashText(JSON.stringify([databaseImage, network.name, volume, scene.place.folder])).slice(0, 16)
  if (found === undefined || found.Config.Labels[labels.spec] !== spec) {
    scene.tell(`the database of ${service} is ${found === undefined ? "made" : "made anew on its volume"}`)
    await removeContainer(docker, name)
    await create(scene, network, service, credentials, spec)
  }
  await untilReady(scene, service, credentials, signal)
  return credentials
}

async function create(
  scene: Scene,
  network: Network,
  service: string,
  credentials: DatabaseCredentials,
  spec: string,
): Promise<void> {
  const name = databaseContainer(scene, service)
  const own = { [labels.environment]: scene.place.prefix, [labels.role]: "database", [labels.service]: service }
  // One that is there stays as it is, with its own label.
  const since = { [labels.since]: new Date().toISOString() }
  await scene.engine.docker.createVolume({ Name: name, Labels: { ...own, ...since } })
  const container = await scene.engine.docker.createContainer({
    name,
    Image: await scene.image(databaseImage),
    Hostname: databaseHost(service),
    Env: [
      `MARIADB_DATABASE=${credentials.name}`,
      `MARIADB_USER=${credentials.user}`,
      "MARIADB_PASSWORD_FILE=/run/secrets/password",
      "MARIADB_ROOT_PASSWORD_FILE=/run/secrets/root-password",
    ],
    Labels: { ...own, [labels.spec]: spec },
    StopTimeout: 60,
    HostConfig: {
      NetworkMode: network.name,
      Binds: [
        `${name}:/var/lib/mysql`,
        `${credentials.files.password}:/run/secrets/password:ro`,
        `${credentials.files.root}:/run/secrets/root-password:ro`,
      ],
      RestartPolicy: { Name: "unless-stopped" },
      LogConfig: { Type: "json-file", Config: { "max-size": "10m", "max-file": "3" } },
    },
    NetworkingConfig: {
      EndpointsConfig: {
        [network.name]: {
          IPAMConfig: { IPv4Address: network.database(plotOf(scene.plots, service)) },
          Aliases: [databaseHost(service)],
        },
      },
    },
  })
  await container.start()
}

/** Over TCP: while it initialises it listens on its socket only. The password stays out of arguments. */
const probe = (user: string, database: string) => [
  "sh",
  "-c",
  `MYSQL_PWD="$(cat /run/secrets/password)" exec mariadb --protocol=tcp -h 127.0.0.1 -u ${user} -N -e 'SELECT 1' ${database}`,
]

async function untilReady(scene: Scene, service: string, credentials: DatabaseCredentials, signal: AbortSignal) {
  const { docker } = scene.engine
  const name = databaseContainer(scene, service)
  const started = performance.now()
  let last = ""
  for (;;) {
    signal.throwIfAborted()
    const { State } = await docker.getContainer(name).inspect()
    if (State.Running) {
      const ran = await execIn(docker, name, probe(credentials.user, credentials.name)).catch((error: unknown) => {
        if (statusOf(error) !== 409) throw error // It ended between the two calls.
        return { exitCode: 1, output: String(error) }
      })
      if (ran.exitCode === 0) return
      last = ran.output.trim()
    } else await keepStarted(scene, name)
    // A server in its prime refuses a password for one reason only: the volume is of other credentials.
    const refused = /1045|Access denied/.test(last)
    const seconds = (performance.now() - started) / 1000
    if (seconds > (refused ? 10 : startSeconds)) {
      if (refused) throw credentialsLost(scene, service, name)
      throw fault({
        code: "ENV-DATABASE",
        kind: "errored",
        message: `The database of ${service} in ${scene.environment.name} does not answer after ${startSeconds} s`,
        reason: `${last}\nIts last lines:\n${(await containerLogs(docker, name, 15)).trim()}`,
        hint: `docker logs ${name}`,
      })
    }
    await sleep(200, undefined, { signal })
  }
}

function credentialsLost(scene: Scene, service: string, volume: string) {
  return fault({
    code: "ENV-DATABASE-LOCKED",
    kind: "errored",
    message: `The database of ${service} in ${scene.environment.name} is there, its password is not`,
    reason: `The volume ${volume} was made with credentials that are no longer in ${serviceFolder(scene.place, service)}.`,
    hint: `Put the files database-password and database-root-password back there. If the data may go: docker rm -f ${volume}; docker volume rm ${volume}`,
  })
}
