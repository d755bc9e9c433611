import { findProject, loadProject, selectServices } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { declaresDependencies, dependenciesName, memoryOf, type LockHolder } from "../../environments/index.js"
import { environmentNamed } from "../../steps/environment.js"
import { exitCodes } from "../exit.js"

/**
 * `gantry unlock <environment>`: says who is changing what there. A lock whose owner is gone is removed; a living owner's
 * only with `force`.
 * @throws ENVIRONMENT-UNKNOWN, UNLOCK-HELD
 */
export async function unlock(
  cwd: string,
  name: string,
  options: { readonly service?: readonly string[]; readonly force?: boolean },
): Promise<number> {
  const { settings: all } = await loadProject(await findProject(cwd))
  const environment = environmentNamed(all, name)
  // What the environment's services depend on has a lock of its own.
  const own = declaresDependencies(environment) && (options.service?.includes(dependenciesName) ?? true)
  const services = options.service?.filter((service) => !own || service !== dependenciesName)
  const settings = selectServices(all, services)
  const owners = services?.length === 0 ? [] : settings.services.map((s) => s.name)
  let held: { readonly service: string; readonly holder: LockHolder } | undefined
  for (const service of own ? [...owners, dependenciesName] : owners) {
    const { locks } = memoryOf(settings, name, service)
    const holder = await locks.holder("deploy")
    if (holder === undefined) {
      process.stderr.write(`${service} in ${name}: nobody is changing it\n`)
      continue
    }
    const { alive, expires } = holder
    const until = expires === undefined ? "" : `, ${alive ? "renewed until" : "expired"} ${expires}`
    const who = `${holder.by} since ${holder.since} (${holder.what}${until})`
    if (!alive || options.force === true) {
      await locks.break("deploy")
      process.stderr.write(`${service} in ${name}: the lock of ${who} is removed${alive ? ", though it lives" : ""}\n`)
    } else {
      process.stderr.write(`${service} in ${name}: held by ${who}\n`)
      held ??= { service, holder }
    }
  }
  if (held === undefined) return exitCodes.ok
  throw fault({
    code: "UNLOCK-HELD",
    kind: "usage",
    message: `${held.service} in ${name} is being changed by a process that lives`,
    reason: `${held.holder.by}: ${held.holder.what}.`,
    hint: `Wait for it, or stop it there: what it began is carried on by the next deployment. --force removes the lock all the same; two deployments at once can leave the environment in pieces.`,
  })
}
