import { fault } from "../../core/errors.js"
import type { DeployOptions } from "./deployment.js"

/** One deployment at a time. Another one is waited for, but not for ever. */
export async function alone<T>(
  options: Pick<DeployOptions, "target" | "environment" | "signal" | "tell">,
  work: () => Promise<T>,
): Promise<T> {
  const { target, environment, signal, tell } = options
  const what = `deploy ${target.service} to ${target.environment}`
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
    return await target.locks.hold("deploy", what, enter, {
      signal: patience.signal,
      onWait: ({ by }) => tell(`waits for another deployment of it: ${by}`),
    })
  } catch (error) {
    if (entered || signal.aborted || !patience.signal.aborted) throw error
    const holder = await target.locks.holder("deploy")
    throw fault({
      code: "DEPLOY-LOCKED",
      kind: "errored",
      message: `Another deployment of ${target.service} to ${target.environment} does not end`,
      reason: holder && `${holder.by} holds it: ${holder.what}.`,
      hint: target.locks.hint("deploy", holder),
      cause: error,
    })
  } finally {
    clearTimeout(timer)
    signal.removeEventListener("abort", giveUp)
  }
}
