import { rm } from "node:fs/promises"
import { engineContext, type ContextOptions } from "../engine/context.js"
import { dockerVersion } from "../engine/docker/client.js"
import { balancerSocket } from "./docker/balancer.js"
import { readServers } from "./docker/haproxy-runtime.js"
import { serverName } from "./docker/haproxy-config.js"
import { listInstances } from "./docker/instances.js"
import { removeEnvironment } from "./docker/remove.js"
import { readHistory } from "./history.js"
import { placeOf, type Project } from "./places.js"
import { readPlots } from "./plots.js"
import { releaseKey } from "./release.js"

/** What of a service runs in an environment right now. Plain JSON. */
export interface EnvironmentService {
  readonly environment: string
  readonly service: string
  /** `empty`: nothing was ever deployed · `running`: whole · `degraded`: instances are missing or not ready, or it is between releases. */
  readonly state: "empty" | "running" | "degraded"
  /** Behind the load balancer, as the host reaches it. Undefined as long as nothing was deployed. */
  readonly url: string | undefined
  /** What ran whole last: of the history, so also when nothing is up. */
  readonly release:
    | {
        readonly reference: string
        readonly digest: string
        readonly commit: string
        readonly configHash: string
        readonly generation: number
        /** Since when, ISO 8601. */
        readonly at: string
      }
    | undefined
  /** To what a rollback would go. */
  readonly previous: { readonly reference: string; readonly digest: string; readonly commit: string } | undefined
  readonly replicas: { readonly wanted: number; readonly ready: number }
  readonly instances: readonly {
    readonly name: string
    readonly digest: string | undefined
    readonly ready: boolean
    readonly traffic: boolean
    readonly restarts: number
  }[]
}

/** All environments of a project, in their order; of each all services. Changes nothing. @throws ENV-NO-DOCKER never: then all is degraded */
export async function describeEnvironments(
  project: Project,
  options: ContextOptions = {},
): Promise<readonly EnvironmentService[]> {
  const engine = engineContext(project.engine, options)
  const up = (await dockerVersion(engine.docker)) !== undefined
  const result: EnvironmentService[] = []
  for (const environment of Object.values(project.environments)) {
    const place = placeOf(project, environment.name)
    const plots = await readPlots(place)
    const servers = up ? await readServers(balancerSocket(place)).catch(() => undefined) : undefined
    for (const { name: service } of project.services) {
      const [current, before] = await readHistory(place, service)
      const containers = up ? await listInstances({ engine, place }, service) : []
      const instances = containers.map((c) => {
        const server = servers?.get(serverName(service, c.slot))
        return {
          name: c.name,
          key: c.key,
          digest: c.release?.digest,
          ready: c.running && server?.healthy === true,
          traffic: server?.state === "on",
          restarts: c.restarts,
        }
      })
      const ready = instances.filter((i) => i.ready && i.traffic).length
      const whole =
        current !== undefined &&
        ready === environment.replicas &&
        instances.every((i) => i.key === releaseKey(current.release) && i.ready)
      const port = plots.ports[`${environment.name}/${plots.services[service]}`]
      result.push({
        environment: environment.name,
        service,
        state: whole ? "running" : current === undefined && instances.length === 0 ? "empty" : "degraded",
        url:
          port === undefined || (current === undefined && instances.length === 0)
            ? undefined
            : `http://127.0.0.1:${port}`,
        release: current && {
          ...identity(current.release),
          configHash: current.release.configHash,
          generation: current.generation,
          at: current.at,
        },
        previous: before && identity(before.release),
        replicas: { wanted: environment.replicas, ready },
        instances: instances.map(({ key: _, ...rest }) => rest),
      })
    }
  }
  return result
}

const identity = ({ reference, digest, commit }: { reference: string; digest: string; commit: string }) => ({
  reference,
  digest,
  commit,
})

/**
 * Removes the environments of a project from the Docker Engine: instances, balancers, networks. Databases' volumes, credentials
 * and history go with them unless `keepData`.
 */
export async function removeEnvironments(
  project: Project,
  options: ContextOptions & { readonly keepData?: boolean; readonly only?: string } = {},
): Promise<void> {
  const engine = engineContext(project.engine, options)
  const data = options.keepData !== true
  for (const name of Object.keys(project.environments)) {
    if (options.only === undefined || options.only === name) {
      await removeEnvironment(engine, placeOf(project, name), { data })
    }
  }
  if (data && options.only === undefined) await rm(placeOf(project, "").projectFolder, { recursive: true, force: true })
}
