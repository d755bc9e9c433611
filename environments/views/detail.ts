import { toErrorRecord, type ErrorRecord } from "../../core/errors.js"
import type { ContextOptions } from "../../engine/context.js"
import { describeServices, type EnvironmentService } from "./describe.js"
import type { Drift } from "./drift.js"
import type { Environment } from "../environment.js"
import { readHistory } from "../history.js"
import { readMigrations } from "../migrations/journal.js"
import type { LockName, Locks } from "../memory.js"
import type { Project } from "../places.js"
import { releaseKey } from "../release.js"
import { readKept, readRefusals, readRollout } from "../strategies/state.js"
import type { ClusterDetail, DependencyState, View } from "./view.js"
import { viewOf } from "../targets/view-of.js"

/** What there is to know about a service in an environment. Plain JSON; no value of a secret is in it. */
export interface ServiceDetail extends EnvironmentService {
  /** Kind of the strategy by which the next release will come. */
  readonly strategy: string
  /** Who deploys or migrates it at this moment. */
  readonly busy: { readonly what: string; readonly by: string; readonly since: string } | undefined
  readonly migration:
    | {
        readonly status: "started" | "done" | "failed"
        readonly commit: string
        readonly compatible: boolean
        readonly at: string
        readonly note?: string | undefined
      }
    | undefined
  /** Releases that ran whole, newest first: what `gantry rollback --to` takes. */
  readonly history: readonly {
    readonly generation: number
    readonly digest: string
    readonly commit: string
    readonly at: string
    /** Why it was taken back, if it was. */
    readonly refused: string | undefined
  }[]
  readonly drift: readonly Drift[]
  /** Where the target is a cluster that answers. */
  readonly cluster: ClusterDetail | undefined
}

export interface EnvironmentDetail {
  readonly environment: string
  /** Whether Docker Engine or cluster answered: without it nobody knows whether there is drift. */
  readonly reachable: boolean
  /** Why not. */
  readonly trouble: ErrorRecord | undefined
  readonly services: readonly ServiceDetail[]
  /** Empty where the target has none. */
  readonly dependencies: readonly DependencyState[]
  /** Of what belongs to no service: the balancer, and containers that are not ours. */
  readonly drift: readonly Drift[]
}

/**
 * An environment in detail, with what somebody changed by hand. Changes nothing; where Docker Engine or cluster do not answer,
 * there is no drift to be seen.
 * @param services Default: all.
 */
export async function describeEnvironment(
  project: Project,
  name: string,
  services: readonly string[] = project.services.map((s) => s.name),
  options: ContextOptions = {},
): Promise<EnvironmentDetail> {
  const environment = project.environments[name]
  if (environment === undefined) throw new Error(`no environment ${name}`)
  const view = await viewOf(project, name, options)
  const wanted = project.services.filter((s) => services.includes(s.name))
  const described: ServiceDetail[] = []
  for (const service of await describeServices(view, environment, wanted)) {
    described.push(await detailOf(view, environment, service))
  }
  const trouble = await view.trouble()
  const failed = described.find((s) => !s.reachable)?.trouble
  const up = trouble === undefined && failed === undefined
  const deployed = described.some((s) => s.state !== "empty")
  return {
    environment: name,
    reachable: up,
    trouble: trouble === undefined ? failed : toErrorRecord(trouble),
    services: described,
    dependencies: up ? ((await view.dependencies?.()) ?? []) : [],
    drift: up && deployed ? await view.ownDrift() : [],
  }
}

async function detailOf(view: View, environment: Environment, service: EnvironmentService): Promise<ServiceDetail> {
  const strategy = environment.strategy.kind
  if (service.state === "unknown") {
    return { ...service, strategy, busy: undefined, migration: undefined, history: [], drift: [], cluster: undefined }
  }
  const { notes, locks } = view.memory(service.service)
  const busy = (await workOn(locks, "deploy")) ?? (await workOn(locks, "migrate"))
  const history = await readHistory(notes)
  const [current] = history
  const refusals = await readRefusals(notes)
  const moving = busy !== undefined || service.rollout !== undefined
  const [migration] = await readMigrations(notes)
  const [rollout, kept] = [await readRollout(notes), await readKept(notes)]
  const blue = history.find(({ release }) => releaseKey(release) === kept?.key)?.release
  const others = [...(rollout === undefined ? [] : [rollout.to]), ...(blue === undefined ? [] : [blue])]
  return {
    ...service,
    strategy,
    busy,
    migration: migration && {
      status: migration.status,
      commit: migration.commit,
      compatible: migration.compatible,
      at: migration.endedAt ?? migration.startedAt,
      ...(migration.note === undefined ? {} : { note: migration.note }),
    },
    history: history.map(({ release, generation, at }) => ({
      generation,
      digest: release.digest,
      commit: release.commit,
      at,
      refused: refusals.find((r) => r.key === releaseKey(release))?.why,
    })),
    drift: service.reachable ? await view.drift(service.service, { current, others, moving }) : [],
    cluster: service.reachable ? await view.cluster?.(service.service) : undefined,
  }
}

async function workOn(locks: Locks, name: LockName): Promise<ServiceDetail["busy"]> {
  const holder = await locks.holder(name)
  return holder?.alive === true ? { what: holder.what, by: holder.by, since: holder.since } : undefined
}
