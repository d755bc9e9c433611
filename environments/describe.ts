import { rm } from "node:fs/promises"
import { engineContext, type ContextOptions } from "../engine/context.js"
import { dockerVersion } from "../engine/docker/client.js"
import { balancerSocket } from "./docker/balancer.js"
import { readServers } from "./docker/haproxy-runtime.js"
import { serverName } from "./docker/haproxy-config.js"
import { listInstances } from "./docker/instances.js"
import { removeEnvironment } from "./docker/remove.js"
import { readHistory } from "./history.js"
import { notesOf } from "./notes.js"
import { placeOf, type Project } from "./places.js"
import { readPlots } from "./plots.js"
import { releaseKey } from "./release.js"
import { readKept, readRefusals, readRollout, type RolloutState } from "./strategies/state.js"

/** What of a service runs in an environment right now. Plain JSON. */
export interface EnvironmentService {
  readonly environment: string
  readonly service: string
  /** `empty`: nothing was ever deployed · `running`: whole · `rollout`: two releases share it · `degraded`: instances are missing or not ready. */
  readonly state: "empty" | "running" | "rollout" | "degraded"
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
  /** A rollout that goes on, or pauses. */
  readonly rollout:
    | {
        readonly strategy: string
        readonly phase: string
        /** From 1. */
        readonly step: number
        /** The new release's share of the traffic. */
        readonly percent: number
        readonly since: string | undefined
        readonly why: string | undefined
        readonly run: string | undefined
        readonly to: { readonly reference: string; readonly digest: string; readonly commit: string }
      }
    | undefined
  /** Blue after a switch, and until when it is kept. */
  readonly kept: { readonly until: string; readonly digest: string | undefined } | undefined
  /** To what a rollback would go: the newest that ran whole before and was not taken back. */
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
      const history = await readHistory(place, service)
      const [current] = history
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
      const notes = notesOf(project, environment.name, service)
      const [rollout, kept] = [await readRollout(notes), await readKept(notes)]
      const refused = new Set((await readRefusals(notes)).map((r) => r.key))
      const leaves = rollout?.to ?? current?.release
      const before = history.find(
        ({ release }) => leaves && releaseKey(release) !== releaseKey(leaves) && !refused.has(releaseKey(release)),
      )
      const whole =
        current !== undefined &&
        ready === environment.replicas &&
        instances.every((i) => isAtRest(i, releaseKey(current.release), kept?.key))
      const port = plots.ports[`${environment.name}/${plots.services[service]}`]
      result.push({
        environment: environment.name,
        service,
        state: stateOf({ whole, rollout, empty: current === undefined && instances.length === 0 }),
        rollout: rollout && pick(rollout),
        kept: kept && { until: kept.until, digest: instances.find((i) => i.key === kept.key)?.digest },
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

/** Of the release that runs, and ready; or blue that is kept, without traffic. */
function isAtRest(
  instance: { readonly key: string; readonly ready: boolean; readonly traffic: boolean },
  key: string,
  kept: string | undefined,
): boolean {
  return instance.key === key ? instance.ready : instance.key === kept && !instance.traffic
}

function stateOf(facts: {
  whole: boolean
  rollout: RolloutState | undefined
  empty: boolean
}): EnvironmentService["state"] {
  if (facts.rollout !== undefined) return "rollout"
  return facts.whole ? "running" : facts.empty ? "empty" : "degraded"
}

const pick = ({ strategy, phase, step, percent, since, why, run, to }: RolloutState) => ({
  strategy,
  phase,
  step: step + 1,
  percent,
  since,
  why,
  run,
  to: identity(to),
})

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
