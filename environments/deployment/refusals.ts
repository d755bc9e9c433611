import type { DeployOptions } from "./deployment.js"
import type { Environment } from "../environment.js"
import { refusedFault } from "../faults.js"
import { allow, readRefusals } from "../strategies/state.js"

/** @throws ROLLOUT-REFUSED for a release that was taken back, unless a person approved it since */
export async function checkRefusal({ target, approved, tell }: DeployOptions, key: string): Promise<void> {
  const refusal = (await readRefusals(target.notes)).find((r) => r.key === key)
  if (refusal === undefined) return
  if (approved === undefined || approved.at <= refusal.at) throw refusedFault(target, refusal)
  tell(`it was taken back at ${refusal.at} (${refusal.why}); ${approved.by} approved it since`)
  await allow(target.notes, key)
}

/** Where a release that was taken back comes again only when a person says so. */
export const takesPerson = ({ approvals, strategy }: Environment) =>
  approvals !== undefined || strategy.kind !== "rolling"
