import { setTimeout as sleep } from "node:timers/promises"
import { TimeoutError, within } from "../../core/within.js"
import { previewFault } from "../faults.js"
import type { Instance, Target } from "../target.js"
import type { JudgedRollout } from "./rollout.js"
import type { BlueGreenStrategy, JudgedStrategy, PreviewCheck } from "./settings.js"

/** How long the preview address may take to know its instances: a health check or two of the balancer. Seconds. */
const openSeconds = 10

const readiness = ({ release }: JudgedRollout<JudgedStrategy>): PreviewCheck => ({
  path: release.readiness,
  status: 200,
  withinSeconds: 5,
})

/**
 * Has these instances answer on the preview address, and to the testers' header. The balancer checks them there anew: until
 * they have been found ready, or `openSeconds` are over, nobody goes on.
 */
export async function openPreview(
  rollout: JudgedRollout<JudgedStrategy>,
  instances: readonly Instance[],
): Promise<void> {
  const { target, signal } = rollout
  await target.setPreview(instances)
  const deadline = performance.now() + openSeconds * 1000
  while ((await ask(target, readiness(rollout), signal)) !== undefined && performance.now() < deadline) {
    await sleep(100, undefined, { signal })
  }
}

/** Asks the new release on its preview address before any user sees it. @throws ROLLOUT-PREVIEW */
export async function checkPreview(rollout: JudgedRollout<BlueGreenStrategy>): Promise<void> {
  const { target, strategy, signal, tell } = rollout
  for (const check of [readiness(rollout), ...strategy.checks]) {
    for (let time = 1; time <= strategy.checkTimes; time++) {
      const problem = await ask(target, check, signal)
      if (problem !== undefined) throw previewFault(target, `GET ${check.path}: ${problem}`)
    }
    tell(`preview: GET ${check.path} answers ${check.status}, ${strategy.checkTimes} of ${strategy.checkTimes} times`)
  }
}

/** What is wrong with the answer; undefined when nothing is. */
async function ask(target: Target, check: PreviewCheck, signal: AbortSignal): Promise<string | undefined> {
  try {
    const { withinSeconds, path } = check
    const answer = await within(withinSeconds * 1000, signal, (stop) =>
      (target.askPreview ?? fetcher(target))(path, stop),
    )
    const { text } = answer
    if (answer.status !== check.status) return `it answers ${answer.status}, not ${check.status}`
    if (check.contains !== undefined && !text.includes(check.contains))
      return `the body does not hold "${check.contains}"`
    return undefined
  } catch (error) {
    signal.throwIfAborted()
    return error instanceof TimeoutError
      ? `no answer within ${check.withinSeconds} s`
      : `no answer (${(error as Error).message})`
  }
}

const fetcher =
  ({ previewUrl }: Target) =>
  async (path: string, signal: AbortSignal) => {
    const answer = await fetch(`${previewUrl}${path}`, { signal, redirect: "manual" })
    return { status: answer.status, text: await answer.text() }
  }
