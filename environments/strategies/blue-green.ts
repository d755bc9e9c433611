import { heedAbort } from "./heed.js"
import { checkPreview, openPreview } from "./preview.js"
import { pause } from "./pause.js"
import { provide } from "./provide.js"
import type { JudgedRollout } from "./rollout.js"
import type { BlueGreenStrategy } from "./settings.js"
import { shift } from "./traffic.js"
import { hold } from "./watch.js"

/**
 * Green beside blue at full size, checked on the preview address; then all traffic at once (section 3.3.2). Blue stays, whole
 * and without traffic, until the caller removes it: the way back is as short as the way there.
 * @throws ROLLOUT-PREVIEW, ROLLOUT-UNFIT, ROLLOUT-ABORTED, ROLLOUT-PAUSED, DEPLOY-…
 */
export async function blueGreen(rollout: JudgedRollout<BlueGreenStrategy>): Promise<void> {
  const { strategy, journal, replicas, target } = rollout
  if (journal.state.phase === "paused") {
    await pause(rollout, strategy.analysis, 100, journal.state.why ?? "")
    await journal.advance({ phase: "finishing" })
  }
  const green = await provide(rollout, replicas)
  if (journal.state.phase === "preparing") {
    await openPreview(rollout, green)
    await checkPreview(rollout)
    await journal.write({ phase: "shifting" })
  }
  if (journal.state.phase === "shifting") {
    await heedAbort(rollout)
    await switchOver(rollout)
    if (strategy.watchSeconds > 0) await watch(rollout)
    await journal.advance({ phase: "finishing" })
  }
  await shift(rollout, 100)
  await target.setPreview([])
}

async function switchOver(rollout: JudgedRollout<BlueGreenStrategy>): Promise<void> {
  const started = performance.now()
  if (!(await shift(rollout, 100))) return
  rollout.tell(`green has all the traffic; the switch took ${((performance.now() - started) / 1000).toFixed(2)} s`)
  rollout.observe?.({ at: new Date().toISOString(), percent: 100, text: "switched" })
}

/** Users see green now: what turns bad is switched back at once. */
async function watch(rollout: JudgedRollout<BlueGreenStrategy>): Promise<void> {
  const { watchSeconds: seconds, analysis } = rollout.strategy
  const held = await hold(rollout, { percent: 100, seconds, analysis })
  if (held.end === "unsure") await pause(rollout, analysis, 100, held.why)
}
