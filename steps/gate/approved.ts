import { fault } from "../../core/errors.js"
import type { Context } from "../../core/step.js"
import type { Approval, Release, Source } from "../outputs.js"
import type { Settings } from "../settings.js"
import { verifyApproval } from "./verify.js"

interface ApprovedNeeds {
  readonly source: Source
  /** Undefined when the gate was skipped. */
  readonly approval: Approval | undefined
}

/** Of a step's context, what proving takes. */
type Proving = Pick<Context<Record<string, never>, never>, "run" | "signal" | "log" | "mask"> & {
  readonly needs: ApprovedNeeds
}

/**
 * The approval of what a step is about to do, verified immediately before it.
 * @param release undefined: what is done belongs to no service
 * @param undone what does not happen without it, for people: "catalog is not rolled out to prod"
 * @throws ROLLOUT-UNAPPROVED when the gate was skipped, and what `verifyApproval` throws
 */
export async function approvedBy(
  context: Proving,
  settings: Settings,
  environment: string,
  release: Release | undefined,
  undone: string,
): Promise<Approval> {
  const { run, signal, log, needs } = context
  const { approval, source } = needs
  if (approval === undefined) {
    throw fault({
      code: "ROLLOUT-UNAPPROVED",
      kind: "failed",
      message: `${undone}: nobody approved it`,
      reason: "The gate was skipped by its condition.",
      hint: "Deliver a commit: gantry run delivery",
    })
  }
  const access = { signal, mask: (value: string) => context.mask(value) }
  await verifyApproval({ settings, environment, run, approval, source, release }, access)
  log.info(`the approval by ${approval.by} holds for ${release?.digest ?? environment}`)
  return approval
}
