import { join } from "node:path"
import { fault } from "../core/errors.js"
import { lockHint, lockOwner, withLock } from "../core/lock.js"
import type { DeployOptions } from "./deployment.js"
import { serviceFolder, type Place } from "./places.js"

/** The file that says who is changing a service of an environment now. */
export const deployLock = (place: Place, service: string) => join(serviceFolder(place, service), "deploy.lock")

/** Long enough for a process that is busy, short enough for one whose host is gone. */
const leaseSeconds = 60

/** One deployment at a time. Another one is waited for, but not for ever. */
export async function alone<T>(
  options: Pick<DeployOptions, "target" | "place" | "environment" | "signal" | "tell">,
  work: () => Promise<T>,
): Promise<T> {
  const { target, place, environment, signal, tell } = options
  const what = `deploy ${target.service} to ${target.environment}`
  const file = deployLock(place, target.service)
  const patience = new AbortController()
  const giveUp = () => patience.abort()
  const timer = setTimeout(giveUp, environment.strategy.progressDeadlineSeconds * 2 * 1000)
  signal.addEventListener("abort", giveUp, { once: true })
  let entered = false
  const enter = () => {
    entered = true
    clearTimeout(timer)
    return work()
  }
  try {
    return await withLock(file, what, enter, {
      signal: patience.signal,
      leaseSeconds,
      onWait: (owner) => tell(`waits for another deployment of it: process ${owner.pid} on ${owner.host}`),
    })
  } catch (error) {
    if (entered || signal.aborted || !patience.signal.aborted) throw error
    const owner = await lockOwner(file)
    throw fault({
      code: "DEPLOY-LOCKED",
      kind: "errored",
      message: `Another deployment of ${target.service} to ${target.environment} does not end`,
      reason: owner === undefined ? undefined : `Process ${owner.pid} on ${owner.host} holds it: ${owner.what}.`,
      hint: lockHint(file, owner),
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", giveUp)
  }
}
