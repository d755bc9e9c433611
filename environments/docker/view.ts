import { fault } from "../../core/errors.js"
import { engineContext, type ContextOptions } from "../../engine/context.js"
import { dockerHost, dockerVersion } from "../../engine/docker/client.js"
import { placeOf, serviceFolder } from "../places.js"
import { readPlots } from "../plots.js"
import type { View, ViewProject } from "../views/view.js"
import { balancerSocket } from "./balancer.js"
import { environmentDrift, serviceDrift, type DriftScene } from "./drift.js"
import { serverName } from "./haproxy-config.js"
import { readServers } from "./haproxy-runtime.js"
import { listInstances } from "./instances.js"
import { fileMemory } from "./memory.js"
import { removeEnvironment } from "./remove.js"
import { unlessMissing } from "./scene.js"
import { taskContainer } from "./tasks.js"

/** An environment on the Docker Engine. Without one, its memory and its addresses are known all the same. */
export function dockerView(project: ViewProject, name: string, options: ContextOptions): View {
  const engine = engineContext(project.engine, options)
  const place = placeOf(project, name)
  const { docker } = engine
  let version: ReturnType<typeof dockerVersion> | undefined
  const isUp = async () => (await (version ??= dockerVersion(docker))) !== undefined
  let balancer: Promise<Awaited<ReturnType<typeof readServers>> | undefined> | undefined
  const servers = () => (balancer ??= readServers(balancerSocket(place)).catch(() => undefined))
  const scene = async (): Promise<DriftScene> => {
    const environment = project.environments[name]
    if (environment === undefined) throw new Error(`no environment ${name}`)
    return { engine, place, environment, plots: await readPlots(place) }
  }

  return {
    remembersAlone: true,
    memory: (service) => fileMemory(serviceFolder(place, service)),
    async trouble() {
      return (await isUp()) ? undefined : noDocker(name, project.engine)
    },
    async running(service) {
      const { ports, services } = await readPlots(place)
      const port = ports[`${name}/${services[service]}`]
      const url = port === undefined ? undefined : `http://127.0.0.1:${port}`
      if (!(await isUp())) return { url, instances: [] }
      const [containers, known] = await Promise.all([listInstances({ engine, place }, service), servers()])
      const instances = containers.map((c) => {
        const server = known?.get(serverName(service, c.slot))
        return {
          name: c.name,
          key: c.key,
          digest: c.release?.digest,
          alive: c.running,
          ready: c.running && server?.healthy === true,
          traffic: server?.state === "on",
          restarts: c.restarts,
        }
      })
      return { url, instances }
    },
    drift: async (service, { current, moving }) => serviceDrift(await scene(), service, current, moving),
    ownDrift: async () => environmentDrift(await scene()),
    async leftTask(service, task) {
      const container = taskContainer({ place }, service, task)
      const left = await unlessMissing(docker.getContainer(container).inspect())
      return left && { name: `Container ${container}`, running: left.State.Running }
    },
    remove: (what) => removeEnvironment(engine, place, what),
  }
}

function noDocker(name: string, config: ViewProject["engine"]) {
  return fault({
    code: "ENV-NO-DOCKER",
    kind: "errored",
    message: `Nobody knows what runs in ${name}, and whether it was changed by hand: no Docker Engine answers at ${dockerHost(config)}`,
    hint: `Run this on the host of the environment, or name its Docker Engine (${config.docker.host === undefined ? "DOCKER_HOST" : "engine.docker.host"}).`,
  })
}
