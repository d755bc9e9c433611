import { join } from "node:path"
import { isLocked, lockOwner } from "../core/lock.js"
import { engineContext, type ContextOptions } from "../engine/context.js"
import { dockerVersion } from "../engine/docker/client.js"
import { describeEnvironments, type EnvironmentService } from "./describe.js"
import { environmentDrift, serviceDrift, type Drift } from "./docker/drift.js"
import { readHistory } from "./history.js"
import { readMigrations } from "./migrations/journal.js"
import { notesOf } from "./notes.js"
import { placeOf, serviceFolder, type Project } from "./places.js"
import { readPlots } from "./plots.js"
import { releaseKey } from "./release.js"
import { readRefusals } from "./strategies/state.js"

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
}

export interface EnvironmentDetail {
  readonly environment: string
  /** Whether the Docker Engine answered: without it nobody knows whether there is drift. */
  readonly reachable: boolean
  readonly services: readonly ServiceDetail[]
  /** Of what belongs to no service: the balancer, and containers that are not ours. */
  readonly drift: readonly Drift[]
}

/**
 * An environment in detail, with what somebody changed by hand. Changes nothing; without a Docker Engine there is no drift to
 * be seen, and all is degraded.
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
  const engine = engineContext(project.engine, options)
  const place = placeOf(project, name)
  const scene = { engine, place, environment, plots: await readPlots(place) }
  const up = (await dockerVersion(engine.docker)) !== undefined
  const all = await describeEnvironments({ ...project, environments: { [name]: environment } }, options)
  const described: ServiceDetail[] = []
  for (const service of all.filter((s) => services.includes(s.service))) {
    const folder = serviceFolder(place, service.service)
    const busy = (await workOn(join(folder, "deploy.lock"))) ?? (await workOn(join(folder, "migrate.lock")))
    const history = await readHistory(place, service.service)
    const [current] = history
    const refusals = await readRefusals(notesOf(project, name, service.service))
    const moving = busy !== undefined || service.rollout !== undefined
    const [migration] = await readMigrations(place, service.service)
    described.push({
      ...service,
      strategy: environment.strategy.kind,
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
      drift: up ? await serviceDrift(scene, service.service, current, moving) : [],
    })
  }
  const deployed = described.some((s) => s.state !== "empty")
  return {
    environment: name,
    reachable: up,
    services: described,
    drift: up && deployed ? await environmentDrift(scene) : [],
  }
}

async function workOn(lock: string): Promise<ServiceDetail["busy"]> {
  if (!(await isLocked(lock))) return undefined
  const owner = await lockOwner(lock)
  return owner && { what: owner.what, by: `process ${owner.pid} on ${owner.host}`, since: owner.since }
}
