import { appendAudit } from "../../approvals/index.js"
import { findProject, loadProject, selectServices } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { openStore } from "../../core/store.js"
import {
  chooseRelease,
  memoryOf,
  migratedSince,
  readHistory,
  readMigrations,
  readRefusals,
  readRollout,
  releaseKey,
  releaseName,
  unfinishedRelease,
  writeDecision,
  writeRollbackOrder,
  type MigrationEntry,
  type Notes,
  type RollbackOrder,
} from "../../environments/index.js"
import { rollbackOf } from "../../pipelines/rollback.js"
import { environmentNamed } from "../../steps/environment.js"
import { drive } from "../drive.js"
import { personFor, reasonOf } from "../who.js"
import { concurrencyOf } from "./run.js"

export interface RollbackOptions {
  readonly service?: readonly string[]
  readonly to?: string
  readonly as?: string
  readonly reason: string
  readonly json?: boolean
  /** Also over a migration that is not backwards compatible. */
  readonly force?: boolean
}

/**
 * `gantry rollback <environment>`: to a kept release, without a build. Written down first, then done as a run of its own,
 * which `gantry resume` goes on with. Without --service: every service that has something to go back to.
 * @throws ENVIRONMENT-UNKNOWN, ROLLBACK-NOTHING, ROLLBACK-UNKNOWN, PERSON-…
 */
export async function rollbackVerb(cwd: string, name: string, options: RollbackOptions): Promise<number> {
  const root = await findProject(cwd)
  const project = await loadProject(root)
  const wanted = selectServices(project.settings, options.service)
  const environment = environmentNamed(wanted, name)
  const reason = reasonOf(options.reason)
  const by = await personFor(wanted, environment, options.as)
  const orders = await ordersFor(wanted, name, options, { by, reason })
  for (const [service, order] of orders) {
    const { notes } = memoryOf(wanted, name, service)
    await writeRollbackOrder(notes, order)
    await abortRollout(notes, order)
    process.stderr.write(`${service}: back to ${releaseName(order.to)}, commit ${order.to.commit.slice(0, 12)}\n`)
  }
  const services = [...orders.keys()]
  const commit = [...orders.values()][0]?.to.commit ?? ""
  const digests = Object.fromEntries([...orders].map(([service, { to }]) => [service, to.digest]))
  await appendAudit(openStore(root).root, { kind: "rollback", environment: name, by, reason, services: digests })
  const settings = selectServices(wanted, services)
  return drive({
    project,
    settings,
    pipeline: rollbackOf(settings, name),
    selection: { services },
    commit,
    dirty: false,
    facts: {},
    json: options.json === true,
    concurrency: concurrencyOf(undefined),
  })
}

/** A rollout that goes on holds the lock, and may do so for long: it is told to end, so that nobody waits for it. */
async function abortRollout(notes: Notes, { to, by, reason, at }: RollbackOrder): Promise<void> {
  const state = await readRollout(notes)
  if (state === undefined || releaseKey(state.to) === releaseKey(to)) return
  const { id: rollout, step } = state
  await writeDecision(notes, { rollout, step, kind: "abort", full: false, by, reason: `rollback: ${reason}`, at })
  process.stderr.write(`the rollout of ${releaseName(state.to)} that goes on is aborted\n`)
}

type Settings = ReturnType<typeof selectServices>

async function ordersFor(
  settings: Settings,
  environment: string,
  options: RollbackOptions,
  who: { readonly by: string; readonly reason: string },
): Promise<ReadonlyMap<string, RollbackOrder>> {
  const orders = new Map<string, RollbackOrder>()
  let nothing: unknown
  const stays: string[] = []
  for (const { name: service } of settings.services) {
    const { notes } = memoryOf(settings, environment, service)
    const history = await readHistory(notes)
    const refusals = await readRefusals(notes)
    const unfinished = await unfinishedRelease(settings, environment, service)
    try {
      const entry = chooseRelease({ service, environment }, history, refusals, options.to, unfinished)
      const { release } = entry
      const closed = migratedSince(await readMigrations(notes), entry.at)
      if (closed !== undefined && options.force !== true) throw migrated(service, environment, closed)
      orders.set(service, { to: release, ...who, at: new Date().toISOString() })
    } catch (error) {
      if (options.service !== undefined) throw error
      nothing = error
      stays.push(`${service}: stays as it is: ${(error as Error).message}`)
    }
  }
  if (orders.size > 0) {
    for (const line of stays) process.stderr.write(`${line}\n`)
    return orders
  }
  throw (
    nothing ??
    fault({
      code: "ROLLBACK-NOTHING",
      kind: "usage",
      message: "There is no service to take back",
      hint: "gantry env list",
    })
  )
}

function migrated(service: string, environment: string, migration: MigrationEntry) {
  return fault({
    code: "ROLLBACK-MIGRATED",
    kind: "usage",
    message: `${service} in ${environment} cannot go back past its migration of ${migration.startedAt}`,
    reason: `It is declared not backwards compatible (commit ${migration.commit.slice(0, 12)}): the earlier release cannot work on the schema as it is now.`,
    hint: "Correct it with a new release. Whoever has brought the schema back by hand says --force.",
  })
}
