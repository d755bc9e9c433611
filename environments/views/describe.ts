import { rm } from "node:fs/promises"
import { isFault, toErrorRecord, type ErrorRecord, type Fault } from "../../core/errors.js"
import type { ContextOptions } from "../../engine/context.js"
import type { Environment } from "../environment.js"
import { readHistory } from "../history.js"
import { placeOf, type Project } from "../places.js"
import { releaseKey } from "../release.js"
import { readKept, readRefusals, readRollout, type RolloutState } from "../strategies/state.js"
import type { RunningInstance, View } from "./view.js"
import { viewOf } from "../targets/view-of.js"

/** What of a service runs in an environment right now. Plain JSON. */
export interface EnvironmentService {
  readonly environment: string
  readonly service: string
  /** `empty`: nothing was ever deployed · `running`: whole · `rollout`: two releases share it · `degraded`: instances are missing or not ready ·
   * `unknown`: neither what runs nor what was deployed can be read. */
  readonly state: "empty" | "running" | "rollout" | "degraded" | "unknown"
  /** Whether Docker Engine or cluster answered: without it nobody knows what runs. */
  readonly reachable: boolean
  /** Why not. */
  readonly trouble: ErrorRecord | undefined
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
  readonly instances: readonly Omit<RunningInstance, "key" | "alive">[]
}

/**
 * All environments of a project, in their order; of each all services. Changes nothing. One that does not answer is told
 * as such (`reachable`), and the others go on.
 */
export async function describeEnvironments(
  project: Project,
  options: ContextOptions = {},
): Promise<readonly EnvironmentService[]> {
  // At once: several that do not answer are not to be waited for one after the other.
  const all = Object.values(project.environments).map(async (environment) => {
    const view = await viewOf(project, environment.name, options)
    return describeServices(view, environment, project.services)
  })
  return (await Promise.all(all)).flat()
}

/** The services of one environment. */
export async function describeServices(
  view: View,
  environment: Environment,
  services: Project["services"],
): Promise<readonly EnvironmentService[]> {
  const trouble = await view.trouble()
  const result: EnvironmentService[] = []
  for (const { name } of services) {
    if (trouble !== undefined && !view.remembersAlone) {
      result.push(unknownService(environment.name, name, trouble))
      continue
    }
    try {
      result.push(await describeService(view, environment, name, trouble))
    } catch (error) {
      // It went away while it was looked at, or something of it may not be looked at.
      if (!isFault(error) || error.kind === "cancelled") throw error
      result.push(unknownService(environment.name, name, error))
    }
  }
  return result
}

/** Nobody knows what runs there. */
function unknownService(environment: string, service: string, trouble: Fault): EnvironmentService {
  return {
    environment,
    service,
    state: "unknown",
    reachable: false,
    trouble: toErrorRecord(trouble),
    url: undefined,
    release: undefined,
    rollout: undefined,
    kept: undefined,
    previous: undefined,
    replicas: { wanted: 0, ready: 0 },
    instances: [],
  }
}

async function describeService(
  view: View,
  environment: Environment,
  service: string,
  trouble: Fault | undefined,
): Promise<EnvironmentService> {
  const { notes } = view.memory(service)
  const [history, running, rollout, kept, refusals] = await Promise.all([
    readHistory(notes),
    view.running(service),
    readRollout(notes),
    readKept(notes),
    readRefusals(notes),
  ])
  const [current] = history
  const { instances } = running
  const wanted = running.wanted ?? environment.replicas
  const ready = instances.filter((i) => i.ready && i.traffic).length
  const refused = new Set(refusals.map((r) => r.key))
  const leaves = rollout?.to ?? current?.release
  const before = history.find(
    ({ release }) => leaves && releaseKey(release) !== releaseKey(leaves) && !refused.has(releaseKey(release)),
  )
  const whole =
    current !== undefined &&
    ready === wanted &&
    instances.every((i) => isAtRest(i, releaseKey(current.release), kept?.key))
  const empty = current === undefined && instances.length === 0
  return {
    environment: environment.name,
    service,
    state: stateOf({ whole, rollout, empty }),
    reachable: trouble === undefined,
    trouble: trouble && toErrorRecord(trouble),
    rollout: rollout && pick(rollout),
    kept: kept && { until: kept.until, digest: instances.find((i) => i.key === kept.key)?.digest },
    url: empty ? undefined : running.url,
    release: current && {
      ...identity(current.release),
      configHash: current.release.configHash,
      generation: current.generation,
      at: current.at,
    },
    previous: before && identity(before.release),
    replicas: { wanted, ready },
    instances: instances.map(({ key: _, alive: __, ...rest }) => rest),
  }
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
 * Removes the environments of a project, each from where it runs: instances, what leads to them, networks. Databases' volumes,
 * credentials and history go with them unless `keepData`. A namespace stays: others gave it, with its rights and quotas.
 */
export async function removeEnvironments(
  project: Project,
  options: ContextOptions & { readonly keepData?: boolean; readonly only?: string } = {},
): Promise<void> {
  const data = options.keepData !== true
  for (const name of Object.keys(project.environments)) {
    if (options.only !== undefined && options.only !== name) continue
    await (await viewOf(project, name, options)).remove({ data })
  }
  if (data && options.only === undefined) await rm(placeOf(project, "").projectFolder, { recursive: true, force: true })
}
