import { findProject, loadProject, selectServices } from "../../config/index.js"
import { fault } from "../../core/errors.js"
import { breakLock, expiryOf, isLocked, lockOwner, type LockOwner } from "../../core/lock.js"
import { deployLock, placeOf } from "../../environments/index.js"
import { environmentOf } from "../../steps/environment.js"
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
  const settings = selectServices(all, options.service)
  environmentOf(settings, name)
  const place = placeOf(settings, name)
  let held: { readonly service: string; readonly owner: LockOwner } | undefined
  for (const { name: service } of settings.services) {
    const path = deployLock(place, service)
    const owner = await lockOwner(path)
    if (owner === undefined) {
      process.stderr.write(`${service} in ${name}: nobody is changing it\n`)
      continue
    }
    const alive = await isLocked(path)
    const expires = await expiryOf(path, owner)
    const until = expires === undefined ? "" : `, ${alive ? "renewed until" : "expired"} ${expires.toISOString()}`
    const who = `process ${owner.pid} on ${owner.host} since ${owner.since} (${owner.what}${until})`
    if (!alive || options.force === true) {
      await breakLock(path)
      process.stderr.write(`${service} in ${name}: the lock of ${who} is removed${alive ? ", though it lives" : ""}\n`)
    } else {
      process.stderr.write(`${service} in ${name}: held by ${who}\n`)
      held ??= { service, owner }
    }
  }
  if (held === undefined) return exitCodes.ok
  throw fault({
    code: "UNLOCK-HELD",
    kind: "usage",
    message: `${held.service} in ${name} is being changed by a process that lives`,
    reason: `Process ${held.owner.pid} on ${held.owner.host}: ${held.owner.what}.`,
    hint: `Wait for it, or stop it there (kill ${held.owner.pid}): what it began is carried on by the next deployment. --force removes the lock all the same; two deployments at once can leave the environment in pieces.`,
  })
}
